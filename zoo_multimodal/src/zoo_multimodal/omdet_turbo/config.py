"""Configuration of OmDet-Turbo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_vision.swin.config import SwinConfig


class OmDetTurboConfig(PretrainedConfig):
    """Sizes and switches of an OmDet-Turbo; the defaults are those of the model over Swin-tiny.

    The backbone is what `backbone_config` describes, or with `use_timm_backbone` the network of timm that
    `backbone` names. `cache_size`: how many texts' embeddings are remembered.
    """

    model_type = "omdet-turbo"
    attribute_map = {"encoder_hidden_dim": "d_model", "num_attention_heads": "encoder_attention_heads"}

    text_config: PretrainedConfig = sub_config(
        "clip_text_model",
        hidden_size=512,
        intermediate_size=2048,
        num_hidden_layers=12,
        num_attention_heads=8,
    )
    backbone_config: PretrainedConfig | None = sub_config(None, optional=True)
    use_timm_backbone: bool = True
    backbone: str | None = "swin_tiny_patch4_window7_224"
    backbone_kwargs: dict[str, Any] | None = None
    use_pretrained_backbone: bool = False
    apply_layernorm_after_vision_backbone: bool = True
    image_size: int | list[int] = 640
    disable_custom_kernels: bool = False
    layer_norm_eps: float = 1e-5
    batch_norm_eps: float = 1e-5
    init_std: float = 0.02
    text_projection_in_dim: int = 512
    text_projection_out_dim: int = 512
    task_encoder_hidden_dim: int = 1024
    class_embed_dim: int = 512
    class_distance_type: str = "cosine"
    num_queries: int = 900
    csp_activation: str = "silu"
    conv_norm_activation: str = "gelu"
    encoder_feedforward_activation: str = "relu"
    encoder_feedforward_dropout: float = 0.0
    encoder_dropout: float = 0.0
    hidden_expansion: float = 1
    vision_features_channels: list[int] = field([256, 256, 256])
    d_model: int = 256
    encoder_in_channels: list[int] = field([192, 384, 768])
    encoder_projection_indices: list[int] = field([2])
    encoder_attention_heads: int = 8
    encoder_dim_feedforward: int = 2048
    encoder_layers: int = 1
    positional_encoding_temperature: float = 10000
    num_feature_levels: int = 3
    decoder_hidden_dim: int = 256
    decoder_num_heads: int = 8
    decoder_num_layers: int = 6
    decoder_activation: str = "relu"
    decoder_dim_feedforward: int = 2048
    decoder_num_points: int = 4
    decoder_dropout: float = 0.0
    eval_size: list[int] | None = None
    learn_initial_query: bool = False
    cache_size: int = 100
    is_encoder_decoder: bool = True

    def __post_init__(self) -> None:
        if self.backbone_config is None and not self.use_timm_backbone:
            self.backbone_config = SwinConfig(image_size=self.image_size, out_indices=[2, 3, 4])
        elif self.backbone_config is None:  # as released, whatever the file says
            self.backbone_kwargs = {
                "out_indices": [1, 2, 3],
                "img_size": self.image_size,
                "always_partition": True,
            }

    def check(self) -> Iterator[tuple[str, str]]:
        if self.class_distance_type not in ("cosine", "dot"):
            yield "class_distance_type", "must be 'cosine' or 'dot'"
        width = self.text_config.hidden_size
        if not width == self.text_projection_in_dim == self.text_projection_out_dim == self.class_embed_dim:
            yield (
                "class_embed_dim",
                f"and text_projection_in_dim and _out_dim must be the text model's width, {width}",
            )
        if self.decoder_hidden_dim != self.d_model or set(self.vision_features_channels) != {self.d_model}:
            yield "d_model", "must be decoder_hidden_dim and every one of vision_features_channels"
        maps = len(self.encoder_in_channels)
        if not maps == len(self.vision_features_channels) == self.num_feature_levels:
            yield "num_feature_levels", "must count encoder_in_channels and vision_features_channels"
        if any(not 0 <= i < maps for i in self.encoder_projection_indices):
            yield "encoder_projection_indices", "must count encoder_in_channels from 0"
