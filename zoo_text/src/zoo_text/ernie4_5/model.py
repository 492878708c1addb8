"""ERNIE 4.5: Llama with neighbouring features rotated."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.ernie4_5.config import Ernie4_5Config


class Ernie4_5PreTrainedModel(PreTrainedModel):
    """What all ERNIE 4.5 classes share."""

    config_class = Ernie4_5Config
    base_model_prefix = "model"


class Ernie4_5Model(Ernie4_5PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: Ernie4_5Config, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, bias=config.use_bias)

    def make_mlp(self, config: Ernie4_5Config, layer_idx: int) -> nn.Module:
        size, width = config.hidden_size, config.intermediate_size
        return GatedMLP(size, width, config.hidden_act, bias=config.use_bias)

    def make_rotary(self, config: Ernie4_5Config) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, interleaved=True, float32=True)}


class Ernie4_5ForCausalLM(ForCausalLM, Ernie4_5PreTrainedModel):
    """ERNIE 4.5 with a language modeling head."""

    base_class = Ernie4_5Model
