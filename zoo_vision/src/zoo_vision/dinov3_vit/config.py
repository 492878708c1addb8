"""Configuration of DINOv3."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class DINOv3ViTConfig(PretrainedConfig):
    """Sizes and switches of a DINOv3; the defaults are those of the small model.

    `pos_embed_shift`, `pos_embed_jitter` and `pos_embed_rescale` say how far the coordinates of patches are
    moved and stretched in training.
    """

    model_type = "dinov3_vit"

    patch_size: int = 16
    hidden_size: int = 384
    intermediate_size: int = 1536
    num_hidden_layers: int = 12
    num_attention_heads: int = 6
    hidden_act: str = "gelu"
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    rope_theta: float = 100.0
    image_size: int = 224
    num_channels: int = 3
    query_bias: bool = True
    key_bias: bool = False
    value_bias: bool = True
    proj_bias: bool = True
    mlp_bias: bool = True
    layerscale_value: float = 1.0
    drop_path_rate: float = 0.0
    use_gated_mlp: bool = False
    num_register_tokens: int = 0
    pos_embed_shift: float | None = None
    pos_embed_jitter: float | None = None
    pos_embed_rescale: float | None = 2.0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.hidden_size % (4 * self.num_attention_heads):
            yield "hidden_size", "must be divisible by four times num_attention_heads"
