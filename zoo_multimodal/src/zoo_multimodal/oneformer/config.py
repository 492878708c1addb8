"""Configuration of OneFormer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class OneFormerConfig(PretrainedConfig):
    """Sizes and switches of a OneFormer; the defaults are those of the model over Swin-T.

    `decoder_layers` counts the predictions, of which the first needs no layer. `is_training` adds the text
    encoder, which the loss alone needs. `*_weight` weigh the parts of the loss.
    """

    model_type = "oneformer"
    attribute_map = {"hidden_size": "hidden_dim"}

    backbone_config: PretrainedConfig | None = sub_config(
        "swin", drop_path_rate=0.3, out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    ignore_value: int = 255
    num_queries: int = 150
    no_object_weight: float = 0.1
    class_weight: float = 2.0
    mask_weight: float = 5.0
    dice_weight: float = 5.0
    contrastive_weight: float = 0.5
    contrastive_temperature: float = 0.07
    train_num_points: int = 12544
    oversample_ratio: float = 3.0
    importance_sample_ratio: float = 0.75
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    layer_norm_eps: float = 1e-5
    is_training: bool = False
    use_auxiliary_loss: bool = True
    output_auxiliary_logits: bool = True
    strides: list[int] = field([4, 8, 16, 32])
    task_seq_len: int = 77
    text_encoder_width: int = 256
    text_encoder_context_length: int = 77
    text_encoder_num_layers: int = 6
    text_encoder_vocab_size: int = 49408
    text_encoder_proj_layers: int = 2
    text_encoder_n_ctx: int = 16
    conv_dim: int = 256
    mask_dim: int = 256
    hidden_dim: int = 256
    encoder_feedforward_dim: int = 1024
    norm: str = "GN"
    encoder_layers: int = 6
    decoder_layers: int = 10
    use_task_norm: bool = True
    num_attention_heads: int = 8
    dropout: float = 0.1
    dim_feedforward: int = 2048
    pre_norm: bool = False
    enforce_input_proj: bool = False
    query_dec_layers: int = 2
    common_stride: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_hidden_layers = self.decoder_layers

    def check(self) -> Iterator[tuple[str, str]]:
        if self.conv_dim != self.hidden_dim:
            yield "conv_dim", f"must be the hidden_dim {self.hidden_dim}"
        if self.contrastive_temperature <= 0:
            yield "contrastive_temperature", "must be above 0"
        if self.oversample_ratio < 1:
            yield "oversample_ratio", "must be at least 1"
        if not 0 <= self.importance_sample_ratio <= 1:
            yield "importance_sample_ratio", "must be from 0 to 1"

    # What Mask2Former's decoders call these sizes.

    @property
    def feature_size(self) -> int:
        return self.conv_dim

    @property
    def mask_feature_size(self) -> int:
        return self.mask_dim

    @property
    def feature_strides(self) -> list[int]:
        return self.strides

    @property
    def enforce_input_projection(self) -> bool:
        return False
