"""Configuration of V-JEPA 2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class VJEPA2Config(PretrainedConfig):
    """Sizes and switches of a V-JEPA 2; the defaults are those of ViT-L at 256 pixels.

    `pred_*` belong to the predictor, `num_pooler_layers` to the pooler of the classifier.
    """

    model_type = "vjepa2"

    patch_size: int = 16
    crop_size: int = 256
    frames_per_clip: int = 64
    tubelet_size: int = 2
    hidden_size: int = 1024
    in_chans: int = 3
    num_attention_heads: int = 16
    num_hidden_layers: int = 24
    drop_path_rate: float = 0.0
    mlp_ratio: float = 4.0
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True
    attention_probs_dropout_prob: float = 0.0
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    attention_dropout: float = 0.0
    num_pooler_layers: int = 3
    pred_hidden_size: int = 384
    pred_num_attention_heads: int = 12
    pred_num_hidden_layers: int = 12
    pred_num_mask_tokens: int = 10
    pred_zero_init_mask_tokens: bool = True
    pred_mlp_ratio: float = 4.0
    image_size: int | None = None

    def __post_init__(self) -> None:
        self.image_size = self.crop_size

    def check(self) -> Iterator[tuple[str, str]]:
        if self.pred_hidden_size % self.pred_num_attention_heads:
            yield "pred_num_attention_heads", f"must divide pred_hidden_size ({self.pred_hidden_size})"
