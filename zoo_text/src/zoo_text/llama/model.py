"""Llama: pre-norm layers with RMSNorm, rotary positions, grouped queries and a gated MLP."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_text.llama.config import LlamaConfig


class LlamaPreTrainedModel(PreTrainedModel):
    """What all Llama classes share."""

    config_class = LlamaConfig
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq",)


class LlamaModel(LlamaPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_layer(self, config: LlamaConfig, layer_idx: int) -> nn.Module:
        return PreNormLayer(
            config.hidden_size,
            partial(RMSNorm, eps=config.rms_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                num_kv_heads=config.num_key_value_heads,
                head_dim=config.head_dim,
                bias=config.attention_bias,
                dropout=config.attention_dropout,
                rule=CAUSAL,
                layer_idx=layer_idx,
            ),
            mlp=GatedMLP(
                config.hidden_size, config.intermediate_size, config.hidden_act, bias=config.mlp_bias
            ),
        )


class LlamaForCausalLM(ForCausalLM, LlamaPreTrainedModel):
    """Llama with a language modeling head."""

    base_class = LlamaModel
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class LlamaForSequenceClassification(ForLastTokenClassification, LlamaPreTrainedModel):
    """Llama with a classifier on the last token."""

    base_class = LlamaModel


class LlamaForTokenClassification(ForTokenClassification, LlamaPreTrainedModel):
    """Llama with a classifier on each token."""

    base_class = LlamaModel
    head_names = {"classifier": "score"}


class LlamaForQuestionAnswering(ForQuestionAnswering, LlamaPreTrainedModel):
    """Llama with scores of an answer's first and last token."""

    base_class = LlamaModel
    base_name = "transformer"
