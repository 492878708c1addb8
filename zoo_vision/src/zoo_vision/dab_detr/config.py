"""Configuration of DAB-DETR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from zoo_core.config import PretrainedConfig, sub_config


class DabDetrConfig(PretrainedConfig):
    """Sizes and switches of a DAB-DETR; see DetrConfig for what is shared.

    `temperature_*`: the longest wave of the pixels' positions. `num_patterns`: how many queries each box has,
    0 for one without content. `keep_query_pos`: queries have their positions added in every layer.
    """

    model_type = "dab-detr"
    attribute_map = {"num_attention_heads": "encoder_attention_heads", "d_model": "hidden_size"}

    use_timm_backbone: bool | None = True
    backbone_config: PretrainedConfig | None = sub_config(None, optional=True)
    backbone: str | None = "resnet50"
    use_pretrained_backbone: bool | None = True
    backbone_kwargs: dict[str, Any] | None = None
    num_queries: int = 300
    encoder_layers: int = 6
    encoder_ffn_dim: int = 2048
    encoder_attention_heads: int = 8
    decoder_layers: int = 6
    decoder_ffn_dim: int = 2048
    decoder_attention_heads: int = 8
    is_encoder_decoder: bool = True
    activation_function: str = "prelu"
    hidden_size: int = 256
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    auxiliary_loss: bool = False
    dilation: bool | None = False
    class_cost: float = 2
    bbox_cost: float = 5
    giou_cost: float = 2
    cls_loss_coefficient: float = 2
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    focal_alpha: float = 0.25
    temperature_height: float = 20
    temperature_width: float = 20
    query_dim: int = 4
    random_refpoints_xy: bool = False
    keep_query_pos: bool = False
    num_patterns: int = 0
    normalize_before: bool = False
    sine_position_embedding_scale: float | None = None
    initializer_bias_prior_prob: float | None = None

    position_embedding_type: ClassVar[str] = "sine"
    mask_loss_coefficient: ClassVar[float] = 1
    dice_loss_coefficient: ClassVar[float] = 1

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.encoder_layers

    def check(self) -> Iterator[tuple[str, str]]:
        if self.query_dim != 4:
            yield "query_dim", "must be 4: a query has a box"
