"""CTRL: a pre-norm decoder with sinusoidal positions whose first token says what kind of text follows."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.sinusoid import ComputedSinusoids
from zoo_text.ctrl.config import CTRLConfig
from zoo_text.gpt2.model import LM_TIE


class CTRLPreTrainedModel(PreTrainedModel):
    """What all CTRL classes share."""

    config_class = CTRLConfig
    base_model_prefix = "transformer"


class CTRLModel(CTRLPreTrainedModel, GPTBody):
    """The decoder without a head."""

    hub_names = {
        "embed_tokens": "w",
        "layers": "h",
        "layers.*.input_layernorm": "h.*.layernorm1",
        "layers.*.post_attention_layernorm": "h.*.layernorm2",
        "layers.*.self_attn.q_proj": "h.*.multi_head_attention.Wq",
        "layers.*.self_attn.k_proj": "h.*.multi_head_attention.Wk",
        "layers.*.self_attn.v_proj": "h.*.multi_head_attention.Wv",
        "layers.*.self_attn.o_proj": "h.*.multi_head_attention.dense",
        "layers.*.mlp.fc1": "h.*.ffn.0",
        "layers.*.mlp.fc2": "h.*.ffn.2",
        "norm": "layernorm",
    }

    def make_positions(self, config: CTRLConfig) -> nn.Module:
        return ComputedSinusoids(config.n_positions, config.n_embd)

    def embed_ids(self, ids: Tensor | None, vectors: Tensor | None) -> Tensor:
        return super().embed_ids(ids, vectors) * self.config.n_embd**0.5

    def make_attention(self, config: CTRLConfig, layer_idx: int) -> nn.Module:
        return Attention(config.n_embd, config.n_head, rule=CAUSAL, layer_idx=layer_idx)

    def make_mlp(self, config: CTRLConfig, layer_idx: int) -> nn.Module:
        return MLP(config.n_embd, config.dff, "relu")

    def layer_options(self, config: CTRLConfig) -> dict[str, float]:
        return {"dropout": config.resid_pdrop}


class CTRLLMHeadModel(ForCausalLM, CTRLPreTrainedModel):
    """CTRL with a language modeling head that has a bias."""

    base_class = CTRLModel
    tied_weights = LM_TIE

    def make_lm_head(self, config: CTRLConfig) -> nn.Module:
        return nn.Linear(config.n_embd, config.vocab_size)

    def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
        inputs.pop("token_type_ids", None)  # the control code says what they would; generation ignores them
        return super().prepare_inputs_for_generation(input_ids, **inputs)


class CTRLForSequenceClassification(ForLastTokenClassification, CTRLPreTrainedModel):
    """CTRL with a classifier on the last token."""

    base_class = CTRLModel
    head_names = {"score": "classifier"}
