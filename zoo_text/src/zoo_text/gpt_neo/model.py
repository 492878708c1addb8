"""GPT-Neo: GPT-2 whose layers alternate between global and windowed attention, unscaled."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import MaskRule
from zoo_core.nn.mlp import MLP
from zoo_text.gpt2.model import LM_TIE
from zoo_text.gpt_neo.config import GPTNeoConfig


class GPTNeoPreTrainedModel(PreTrainedModel):
    """What all GPT-Neo classes share."""

    config_class = GPTNeoConfig
    base_model_prefix = "transformer"
    ignored_names = ("attention.bias", "attention.masked_bias")


class GPTNeoModel(GPTNeoPreTrainedModel, GPTBody):
    """The decoder without a head."""

    hub_names = {
        "embed_tokens": "wte",
        "embed_positions": "wpe",
        "layers": "h",
        "layers.*.input_layernorm": "h.*.ln_1",
        "layers.*.post_attention_layernorm": "h.*.ln_2",
        "layers.*.self_attn": "h.*.attn.attention",
        "layers.*.self_attn.o_proj": "h.*.attn.attention.out_proj",
        "layers.*.mlp.fc1": "h.*.mlp.c_fc",
        "layers.*.mlp.fc2": "h.*.mlp.c_proj",
        "norm": "ln_f",
    }

    def make_embeddings(self, config: GPTNeoConfig) -> None:
        super().make_embeddings(config)
        self.dropout = nn.Dropout(config.embed_dropout)

    def make_attention(self, config: GPTNeoConfig, layer_idx: int) -> nn.Module:
        local = config.attention_layers[layer_idx] == "local"
        return Attention(
            config.hidden_size,
            config.num_heads,
            bias=False,
            out_bias=True,
            scale=1.0,
            dropout=config.attention_dropout,
            rule=MaskRule(causal=True, window=config.window_size if local else None),
            layer_idx=layer_idx,
        )

    def make_mlp(self, config: GPTNeoConfig, layer_idx: int) -> nn.Module:
        inner = config.intermediate_size or 4 * config.hidden_size
        return MLP(config.hidden_size, inner, config.activation_function)

    def layer_options(self, config: GPTNeoConfig) -> dict[str, float]:
        return {"dropout": config.resid_dropout}


class GPTNeoForCausalLM(ForCausalLM, GPTNeoPreTrainedModel):
    """GPT-Neo with a language modeling head."""

    base_class = GPTNeoModel
    tied_weights = LM_TIE


class GPTNeoForSequenceClassification(ForLastTokenClassification, GPTNeoPreTrainedModel):
    """GPT-Neo with a classifier on the last token."""

    base_class = GPTNeoModel


class GPTNeoForTokenClassification(ForTokenClassification, GPTNeoPreTrainedModel):
    """GPT-Neo with a classifier on each token."""

    base_class = GPTNeoModel


class GPTNeoForQuestionAnswering(ForQuestionAnswering, GPTNeoPreTrainedModel):
    """GPT-Neo with scores of an answer's first and last token."""

    base_class = GPTNeoModel
