"""Configurations of BridgeTower and its towers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config
from zoo_text.roberta.config import RobertaConfig


class BridgeTowerTextConfig(RobertaConfig):
    """Sizes and switches of the text tower, a RoBERTa."""

    model_type = "bridgetower_text_model"
    base_config_key = "text_config"

    max_position_embeddings: int = 514
    type_vocab_size: int = 1
    layer_norm_eps: float = 1e-5
    initializer_factor: float = 1.0


class BridgeTowerVisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower, a ViT of CLIP with heads of width 64."""

    model_type = "bridgetower_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_channels: int = 3
    patch_size: int = 16
    image_size: int = 288
    initializer_factor: float = 1.0
    layer_norm_eps: float = 1e-5
    stop_gradient: bool = False
    share_layernorm: bool = True
    remove_last_layer: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.share_layernorm:
            yield "share_layernorm", "must be True: norms of each layer are not read"


class BridgeTowerConfig(PretrainedConfig):
    """Both towers, and `num_hidden_layers` layers across.

    Args:
        link_tower_type: how a tower's states join those across: "add", "scaled_add" or "interpolate".
    """

    model_type = "bridgetower"

    text_config: BridgeTowerTextConfig = sub_config(BridgeTowerTextConfig)
    vision_config: BridgeTowerVisionConfig = sub_config(BridgeTowerVisionConfig)
    share_cross_modal_transformer_layers: bool = True
    hidden_act: str = "gelu"
    hidden_size: int = 768
    initializer_factor: float = 1.0
    layer_norm_eps: float = 1e-5
    share_link_tower_layers: bool = False
    link_tower_type: str = "add"
    num_attention_heads: int = 12
    num_hidden_layers: int = 6
    tie_word_embeddings: bool = False
    init_layernorm_from_vision_encoder: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.share_cross_modal_transformer_layers:
            yield "share_cross_modal_transformer_layers", "must be True: there is one map for all layers"
        if self.share_link_tower_layers:
            yield "share_link_tower_layers", "must be False: every layer has a link of its own"
        if self.link_tower_type not in ("add", "scaled_add", "interpolate"):
            yield "link_tower_type", 'must be "add", "scaled_add" or "interpolate"'

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
