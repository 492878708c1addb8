"""Configuration of Mask2Former."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class Mask2FormerConfig(PretrainedConfig):
    """Sizes and switches of a Mask2Former; the defaults are those of the model over Swin-T.

    `decoder_layers` counts the predictions, of which the first needs no layer. `*_weight` weigh the parts of
    the loss.
    """

    model_type = "mask2former"
    attribute_map = {"hidden_size": "hidden_dim"}

    backbone_config: PretrainedConfig | None = sub_config(
        "swin",
        depths=[2, 2, 18, 2],
        drop_path_rate=0.3,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    feature_size: int = 256
    mask_feature_size: int = 256
    hidden_dim: int = 256
    encoder_feedforward_dim: int = 1024
    activation_function: str = "relu"
    encoder_layers: int = 6
    decoder_layers: int = 10
    num_attention_heads: int = 8
    dropout: float = 0.0
    dim_feedforward: int = 2048
    pre_norm: bool = False
    enforce_input_projection: bool = False
    common_stride: int = 4
    ignore_value: int = 255
    num_queries: int = 100
    no_object_weight: float = 0.1
    class_weight: float = 2.0
    mask_weight: float = 5.0
    dice_weight: float = 5.0
    train_num_points: int = 12544
    oversample_ratio: float = 3.0
    importance_sample_ratio: float = 0.75
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    use_auxiliary_loss: bool = True
    feature_strides: list[int] = field([4, 8, 16, 32])
    output_auxiliary_logits: bool | None = None
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.decoder_layers

    def check(self) -> Iterator[tuple[str, str]]:
        if self.oversample_ratio < 1:
            yield "oversample_ratio", "must be at least 1"
        if not 0 <= self.importance_sample_ratio <= 1:
            yield "importance_sample_ratio", "must be from 0 to 1"
