"""Configuration of RT-DETR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_vision.resnet.config import ResNetConfig


class RTDetrResNetConfig(ResNetConfig):
    """Sizes and switches of the backbone: those of ResNet."""

    model_type = "rt_detr_resnet"


class RTDetrConfig(PretrainedConfig):
    """Sizes and switches of an RT-DETR; the defaults are those of the model over ResNet-50.

    `matcher_*_cost` weigh the matching of queries to objects, `weight_loss_*` the loss.
    """

    model_type = "rt_detr"
    attribute_map = {"hidden_size": "d_model", "num_attention_heads": "encoder_attention_heads"}

    initializer_range: float = 0.01
    initializer_bias_prior_prob: float | None = None
    layer_norm_eps: float = 1e-5
    batch_norm_eps: float = 1e-5
    backbone_config: PretrainedConfig | None = sub_config(
        "rt_detr_resnet", out_features=["stage2", "stage3", "stage4"]
    )
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    freeze_backbone_batch_norms: bool = True
    backbone_kwargs: dict[str, Any] | None = None
    encoder_hidden_dim: int = 256
    encoder_in_channels: list[int] = field([512, 1024, 2048])
    feat_strides: list[int] = field([8, 16, 32])
    encoder_layers: int = 1
    encoder_ffn_dim: int = 1024
    encoder_attention_heads: int = 8
    dropout: float = 0.0
    activation_dropout: float = 0.0
    encode_proj_layers: list[int] = field([2])
    positional_encoding_temperature: float = 10000
    encoder_activation_function: str = "gelu"
    activation_function: str = "silu"
    eval_size: list[int] | None = None
    normalize_before: bool = False
    hidden_expansion: float = 1.0
    d_model: int = 256
    num_queries: int = 300
    decoder_in_channels: list[int] = field([256, 256, 256])
    decoder_ffn_dim: int = 1024
    num_feature_levels: int = 3
    decoder_n_points: int = 4
    decoder_layers: int = 6
    decoder_attention_heads: int = 8
    decoder_activation_function: str = "relu"
    attention_dropout: float = 0.0
    num_denoising: int = 100
    label_noise_ratio: float = 0.5
    box_noise_scale: float = 1.0
    learn_initial_query: bool = False
    anchor_image_size: list[int] | None = None
    disable_custom_kernels: bool = True
    with_box_refine: bool = True
    is_encoder_decoder: bool = True
    matcher_alpha: float = 0.25
    matcher_gamma: float = 2.0
    matcher_class_cost: float = 2.0
    matcher_bbox_cost: float = 5.0
    matcher_giou_cost: float = 2.0
    use_focal_loss: bool = True
    auxiliary_loss: bool = True
    focal_loss_alpha: float = 0.75
    focal_loss_gamma: float = 2.0
    weight_loss_vfl: float = 1.0
    weight_loss_bbox: float = 5.0
    weight_loss_giou: float = 2.0
    eos_coefficient: float = 1e-4

    def check(self) -> Iterator[tuple[str, str]]:
        if self.num_feature_levels < len(self.decoder_in_channels):
            yield (
                "num_feature_levels",
                f"must be at least the {len(self.decoder_in_channels)} decoder_in_channels",
            )
        if any(not 0 <= i < len(self.encoder_in_channels) for i in self.encode_proj_layers):
            yield "encode_proj_layers", "must count encoder_in_channels from 0"
