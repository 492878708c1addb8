"""Cohere 2: attention and MLP side by side; windows with rotary, full layers without positions."""

from __future__ import annotations

from torch import Tensor

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.cohere.model import CohereDecoder, RoundedRotary
from zoo_text.cohere2.config import Cohere2Config


class Cohere2PreTrainedModel(PreTrainedModel):
    """What all Cohere 2 classes share."""

    config_class = Cohere2Config
    base_model_prefix = "model"


class Cohere2Model(Cohere2PreTrainedModel, CohereDecoder):
    """The decoder without a head."""

    def make_rotary(self, config: Cohere2Config) -> dict[str, RotaryEmbedding]:
        return {"sliding_attention": rotary_of(config, kind=RoundedRotary, interleaved=True)}

    def kinds_of_rotary(self, config: Cohere2Config) -> list[str | None]:
        return list(config.layer_types)


class Cohere2ForCausalLM(ForCausalLM, Cohere2PreTrainedModel):
    """Cohere 2 with a language modeling head whose scores are scaled."""

    base_class = Cohere2Model
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) * self.config.logit_scale
