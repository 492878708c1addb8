"""Configuration of Grounding DINO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, sub_config
from zoo_vision.swin.config import SwinConfig


class GroundingDinoSizes(PretrainedConfig):
    """What the configs of the family share; the defaults are those of the tiny model.

    The backbone is what `backbone_config` describes, or with `use_timm_backbone` the network of timm that
    `backbone` names. `*_cost` weigh the matching of queries to objects, `*_coefficient` the loss.
    """

    attribute_map = {"hidden_size": "d_model", "num_attention_heads": "encoder_attention_heads"}

    backbone_config: PretrainedConfig | None = sub_config("swin", optional=True)
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    text_config: PretrainedConfig = sub_config("bert")
    num_queries: int = 900
    encoder_layers: int = 6
    encoder_ffn_dim: int = 2048
    encoder_attention_heads: int = 8
    decoder_layers: int = 6
    decoder_ffn_dim: int = 2048
    decoder_attention_heads: int = 8
    is_encoder_decoder: bool = True
    activation_function: str = "relu"
    d_model: int = 256
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    auxiliary_loss: bool = False
    position_embedding_type: str = "sine"
    num_feature_levels: int = 4
    encoder_n_points: int = 4
    decoder_n_points: int = 4
    two_stage: bool = True
    class_cost: float = 1.0
    bbox_cost: float = 5.0
    giou_cost: float = 2.0
    bbox_loss_coefficient: float = 5.0
    giou_loss_coefficient: float = 2.0
    focal_alpha: float = 0.25
    disable_custom_kernels: bool = False
    max_text_len: int = 256
    text_enhancer_dropout: float = 0.0
    fusion_droppath: float = 0.1
    fusion_dropout: float = 0.0
    embedding_init_target: bool = True
    query_dim: int = 4
    positional_embedding_temperature: float = 20
    init_std: float = 0.02
    layer_norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.backbone_config is None and self.backbone is None:
            self.backbone_config = SwinConfig(out_indices=[2, 3, 4])

    def check(self) -> Iterator[tuple[str, str]]:
        if self.position_embedding_type not in ("sine", "learned"):
            yield "position_embedding_type", "must be 'sine' or 'learned'"
        for name in ("two_stage", "embedding_init_target"):
            if not getattr(self, name):
                yield name, "must be true: no released model does without"
        if self.query_dim != 4:
            yield "query_dim", "must be 4: queries are boxes"
        for name in ("encoder_attention_heads", "encoder_ffn_dim"):
            if getattr(self, name) % 2:
                yield name, "must be even: text and fusion layers have half of it"


class GroundingDinoConfig(GroundingDinoSizes):
    """Sizes and switches of a Grounding DINO.

    With `decoder_bbox_embed_share` all layers of the decoder have one box head.
    """

    model_type = "grounding-dino"

    decoder_bbox_embed_share: bool = True
    two_stage_bbox_embed_share: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.two_stage_bbox_embed_share and not self.decoder_bbox_embed_share:
            yield "two_stage_bbox_embed_share", "needs decoder_bbox_embed_share"
