"""Configuration of DETR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, sub_config
from zoo_vision.resnet.config import ResNetConfig


class DetrConfig(PretrainedConfig):
    """Sizes and switches of a DETR; the defaults are those of the ResNet-50 model.

    The backbone is what `backbone_config` describes, with `use_timm_backbone` the network of timm that
    `backbone` names, and otherwise a ResNet-50. `dilation`: its last stage dilates instead of striding.
    `*_cost` weigh the matching of queries to objects, `*_coefficient` the loss.
    """

    model_type = "detr"
    attribute_map = {"hidden_size": "d_model", "num_attention_heads": "encoder_attention_heads"}

    use_timm_backbone: bool | None = True
    backbone_config: PretrainedConfig | None = sub_config(None, optional=True)
    num_channels: int = 3
    num_queries: int = 100
    encoder_layers: int = 6
    encoder_ffn_dim: int = 2048
    encoder_attention_heads: int = 8
    decoder_layers: int = 6
    decoder_ffn_dim: int = 2048
    decoder_attention_heads: int = 8
    encoder_layerdrop: float = 0.0
    decoder_layerdrop: float = 0.0
    is_encoder_decoder: bool = True
    activation_function: str = "relu"
    d_model: int = 256
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    auxiliary_loss: bool = False
    position_embedding_type: str = "sine"
    backbone: str | None = "resnet50"
    use_pretrained_backbone: bool | None = True
    backbone_kwargs: dict[str, Any] | None = None
    dilation: bool | None = False
    class_cost: float = 1
    bbox_cost: float = 5
    giou_cost: float = 2
    mask_loss_coefficient: float = 1
    dice_loss_coefficient: float = 1
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    eos_coefficient: float = 0.1

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.encoder_layers
        if (
            not self.use_timm_backbone
            and self.backbone_config is None
            and self.backbone in (None, "resnet50")
        ):
            self.backbone, self.backbone_config = None, ResNetConfig(out_features=["stage4"])

    def check(self) -> Iterator[tuple[str, str]]:
        if self.position_embedding_type not in ("sine", "learned"):
            yield "position_embedding_type", "must be 'sine' or 'learned'"
