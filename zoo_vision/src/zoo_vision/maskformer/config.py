"""Configuration of MaskFormer."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, sub_config

STAGES = ["stage1", "stage2", "stage3", "stage4"]


class MaskFormerConfig(PretrainedConfig):
    """Sizes and switches of a MaskFormer; the defaults are those of the model over Swin-B.

    `decoder_config` is that of the DETR whose decoder it takes; `*_weight` weigh the parts of the loss.
    """

    model_type = "maskformer"
    attribute_map = {"hidden_size": "mask_feature_size"}

    backbone_config: PretrainedConfig | None = sub_config(
        "swin",
        image_size=384,
        embed_dim=128,
        depths=[2, 2, 18, 2],
        num_heads=[4, 8, 16, 32],
        window_size=12,
        drop_path_rate=0.3,
        out_features=STAGES,
    )
    decoder_config: PretrainedConfig = sub_config("detr")
    fpn_feature_size: int = 256
    mask_feature_size: int = 256
    no_object_weight: float = 0.1
    use_auxiliary_loss: bool = False
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    dice_weight: float = 1.0
    cross_entropy_weight: float = 1.0
    mask_weight: float = 20.0
    output_auxiliary_logits: bool | None = None
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.num_attention_heads = self.decoder_config.encoder_attention_heads
        self.num_hidden_layers = self.decoder_config.num_hidden_layers
