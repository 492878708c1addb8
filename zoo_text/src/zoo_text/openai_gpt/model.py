"""The first GPT: post-norm layers, no final norm, no cache."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.dialects import GPT2_LAYER
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_text.gpt2.model import LM_TIE
from zoo_text.openai_gpt.config import OpenAIGPTConfig


class OpenAIGPTPreTrainedModel(PreTrainedModel):
    """What all GPT classes share."""

    config_class = OpenAIGPTConfig
    base_model_prefix = "transformer"
    ignored_names = ("attn.bias",)


class OpenAIGPTModel(OpenAIGPTPreTrainedModel, GPTBody):
    """The decoder without a head."""

    layer_class = PostNormLayer
    hub_names = {"embed_tokens": "tokens_embed", "embed_positions": "positions_embed", "layers": "h"}

    def make_layer(self, config: OpenAIGPTConfig, layer_idx: int) -> nn.Module:
        layer = super().make_layer(config, layer_idx)
        layer.hub_names = {**GPT2_LAYER, "self_attn_layer_norm": "ln_1", "final_layer_norm": "ln_2"}
        return layer

    def make_attention(self, config: OpenAIGPTConfig, layer_idx: int) -> nn.Module:
        return Attention(
            config.n_embd, config.n_head, dropout=config.attn_pdrop, rule=CAUSAL, layer_idx=layer_idx
        )

    def make_mlp(self, config: OpenAIGPTConfig, layer_idx: int) -> nn.Module:
        act = {"gelu": "gelu_new", "swish": "silu"}.get(config.afn, config.afn)
        return MLP(config.n_embd, 4 * config.n_embd, act)

    def layer_options(self, config: OpenAIGPTConfig) -> dict[str, float]:
        return {"dropout": config.resid_pdrop}

    def make_norm(self, config: OpenAIGPTConfig) -> None:
        return None


class OpenAIGPTLMHeadModel(ForCausalLM, OpenAIGPTPreTrainedModel):
    """GPT with a language modeling head."""

    base_class = OpenAIGPTModel
    tied_weights = LM_TIE


class OpenAIGPTForSequenceClassification(ForLastTokenClassification, OpenAIGPTPreTrainedModel):
    """GPT with a classifier on the last token."""

    base_class = OpenAIGPTModel
