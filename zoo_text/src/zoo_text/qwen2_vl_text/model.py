"""Qwen2-VL's language model: Qwen2 whose rotary positions have three axes."""

from __future__ import annotations

from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.rotary_multi import MultiAxisRotary
from zoo_text.qwen2.model import Qwen2Model
from zoo_text.qwen2_vl_text.config import Qwen2VLTextConfig


class Qwen2VLTextPreTrainedModel(PreTrainedModel):
    """What all Qwen2-VL's language model classes share."""

    config_class = Qwen2VLTextConfig
    base_model_prefix = "model"


class Qwen2VLTextModel(Qwen2VLTextPreTrainedModel, Qwen2Model):
    """Positions are (axes, batch, sequence): time, height and width; plain ones serve all axes."""

    def make_rotary(self, config: Qwen2VLTextConfig) -> dict[str, RotaryEmbedding]:
        sections = (config.rope_scaling or {}).get("mrope_section") or (16, 24, 24)
        return {"full": rotary_of(config, kind=MultiAxisRotary, sections=sections)}
