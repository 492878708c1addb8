"""GLM-4.1V's language model: GLM-4 with positions in time, height and width."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.modeling.decoder import attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.rotary_multi import MultiAxisRotary, sections_of
from zoo_text.glm4.model import Glm4Decoder
from zoo_text.glm4v_text.config import Glm4vTextConfig


class Glm4vTextPreTrainedModel(PreTrainedModel):
    """What all classes of GLM-4.1V's language model share."""

    config_class = Glm4vTextConfig
    base_model_prefix = "model"


class Glm4vTextModel(Glm4vTextPreTrainedModel, Glm4Decoder):
    """The decoder without a head; positions are (3, batch, sequence) where images are among the tokens."""

    def make_attention(self, config: Glm4vTextConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, bias=True, out_bias=False)

    def make_rotary(self, config: Glm4vTextConfig) -> dict[str, RotaryEmbedding]:
        sections = sections_of(config)
        return {"full": rotary_of(config, kind=partial(MultiAxisRotary, sections=sections), interleaved=True)}
