"""GLM-4.5V: GLM-4.1V with a language model of experts."""

from __future__ import annotations

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.glm4v.model import FramesForConditionalGeneration, FramesModel
from zoo_multimodal.glm4v.vision import Glm4vVisionModel
from zoo_multimodal.glm4v_moe.config import Glm4vMoeConfig, Glm4vMoeVisionConfig


class Glm4vMoePreTrainedModel(PreTrainedModel):
    """What all GLM-4.5V classes share."""

    config_class = Glm4vMoeConfig
    base_model_prefix = "model"


class Glm4vMoeVisionModel(Glm4vVisionModel):
    """The image tower."""

    config_class = Glm4vMoeVisionConfig


class Glm4vMoeModel(Glm4vMoePreTrainedModel, FramesModel):
    """The model without its head."""

    tower_class = Glm4vMoeVisionModel


class Glm4vMoeForConditionalGeneration(FramesForConditionalGeneration, Glm4vMoePreTrainedModel):
    """GLM-4.5V with the language model's head."""

    base_class = Glm4vMoeModel
