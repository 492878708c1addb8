"""OLMo 3: OLMo 2 with windows; only the rotary positions of full layers are scaled."""

from __future__ import annotations

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.olmo2.model import Olmo2Decoder
from zoo_text.olmo3.config import Olmo3Config


class Olmo3PreTrainedModel(PreTrainedModel):
    """What all OLMo 3 classes share."""

    config_class = Olmo3Config
    base_model_prefix = "model"


class Olmo3Model(Olmo3PreTrainedModel, Olmo2Decoder):
    """The decoder without a head."""

    def make_rotary(self, config: Olmo3Config) -> dict[str, RotaryEmbedding]:
        return {
            "sliding_attention": rotary_of(config, scaling=None, float32=True),
            "full_attention": rotary_of(config, float32=True),
        }

    def kinds_of_rotary(self, config: Olmo3Config) -> list[str | None]:
        return list(config.layer_types)


class Olmo3ForCausalLM(ForCausalLM, Olmo3PreTrainedModel):
    """OLMo 3 with a language modeling head."""

    base_class = Olmo3Model
