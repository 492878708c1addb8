"""Qwen2.5-VL's language model, which is Qwen2-VL's."""

from __future__ import annotations

from zoo_core.modeling.model import PreTrainedModel
from zoo_text.qwen2_5_vl_text.config import Qwen2_5_VLTextConfig
from zoo_text.qwen2_vl_text.model import Qwen2VLTextModel


class Qwen2_5_VLTextPreTrainedModel(PreTrainedModel):
    """What all Qwen2.5-VL's language model classes share."""

    config_class = Qwen2_5_VLTextConfig
    base_model_prefix = "model"


class Qwen2_5_VLTextModel(Qwen2_5_VLTextPreTrainedModel, Qwen2VLTextModel):
    """The decoder without a head."""
