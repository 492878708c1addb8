"""GLM-4.5V's language model: GLM-4.5 with positions in time, height and width."""

from __future__ import annotations

from functools import partial

from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.rotary_multi import MultiAxisRotary
from zoo_text.glm4_moe.model import Glm4MoeDecoder
from zoo_text.glm4v_moe_text.config import Glm4vMoeTextConfig


class Glm4vMoeTextPreTrainedModel(PreTrainedModel):
    """What all classes of GLM-4.5V's language model share."""

    config_class = Glm4vMoeTextConfig
    base_model_prefix = "model"


class Glm4vMoeTextModel(Glm4vMoeTextPreTrainedModel, Glm4MoeDecoder):
    """The decoder without a head; positions are (3, batch, sequence) where images are among the tokens."""

    def make_rotary(self, config: Glm4vMoeTextConfig) -> dict[str, RotaryEmbedding]:
        sections = (config.rope_scaling or {})["mrope_section"]
        return {"full": rotary_of(config, kind=partial(MultiAxisRotary, sections=sections))}
