"""Chinese-CLIP: CLIP's image tower, and a BERT whose first token's state stands for the text."""

from __future__ import annotations

from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_multimodal.chinese_clip.config import (
    ChineseCLIPConfig,
    ChineseCLIPTextConfig,
    ChineseCLIPVisionConfig,
)
from zoo_multimodal.clip.model import CLIPModel, CLIPVisionModel
from zoo_text.bert.model import BertModel


class ChineseCLIPPreTrainedModel(PreTrainedModel):
    """What all Chinese-CLIP classes share."""

    config_class = ChineseCLIPConfig
    base_model_prefix = "chinese_clip"
    ignored_names = ("*position_ids",)


class ChineseCLIPTextModel(ChineseCLIPPreTrainedModel, BertModel):
    """The text tower; inside the whole model it has no pooler."""

    config_class = ChineseCLIPTextConfig


class ChineseCLIPVisionModel(ChineseCLIPPreTrainedModel, CLIPVisionModel):
    """The image tower."""

    config_class = ChineseCLIPVisionConfig


class ChineseCLIPModel(ChineseCLIPPreTrainedModel, CLIPModel):
    """Both towers, their projections, and a learned temperature."""

    hub_names = {"vision_model": ""}
    vision_class = ChineseCLIPVisionModel

    @staticmethod
    def text_class(config: ChineseCLIPTextConfig) -> ChineseCLIPTextModel:  # type: ignore[override]
        return ChineseCLIPTextModel(config, add_pooling_layer=False)

    def text_vector(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state[:, 0]
