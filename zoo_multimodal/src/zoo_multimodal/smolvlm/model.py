"""SmolVLM: Idefics3 made small."""

from __future__ import annotations

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.idefics2.model import SampledImagesForConditionalGeneration
from zoo_multimodal.idefics3.model import Idefics3VisionTransformer, JoinedFeaturesModel
from zoo_multimodal.smolvlm.config import SmolVLMConfig, SmolVLMVisionConfig


class SmolVLMPreTrainedModel(PreTrainedModel):
    """What all SmolVLM classes share."""

    config_class = SmolVLMConfig
    base_model_prefix = "model"


class SmolVLMVisionTransformer(Idefics3VisionTransformer):
    """The image tower."""

    config_class = SmolVLMVisionConfig


class SmolVLMModel(SmolVLMPreTrainedModel, JoinedFeaturesModel):
    """The model without its head."""

    tower_class = SmolVLMVisionTransformer


class SmolVLMForConditionalGeneration(SampledImagesForConditionalGeneration, SmolVLMPreTrainedModel):
    """SmolVLM with the language model's head."""

    base_class = SmolVLMModel
