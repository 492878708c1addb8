"""GPTBigCode: GPT-2 whose query heads may share one key and value head."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_text.gpt2.model import LM_TIE
from zoo_text.gpt_bigcode.config import GPTBigCodeConfig


class GPTBigCodePreTrainedModel(PreTrainedModel):
    """What all GPTBigCode classes share."""

    config_class = GPTBigCodeConfig
    base_model_prefix = "transformer"
    ignored_names = ("attn.bias", "attn.masked_bias")


class GPTBigCodeModel(GPTBigCodePreTrainedModel, GPTBody):
    """The decoder without a head."""

    @property
    def hub_names(self) -> dict[object, object]:  # type: ignore[override]
        qkv = tuple(f"layers.*.self_attn.{part}_proj" for part in "qkv")
        groups = 1 if self.config.multi_query else self.config.n_head
        return {
            "embed_tokens": "wte",
            "embed_positions": "wpe",
            "layers": "h",
            "layers.*.input_layernorm": "h.*.ln_1",
            "layers.*.post_attention_layernorm": "h.*.ln_2",
            "layers.*.cross_attn_layernorm": "h.*.ln_cross_attn",
            qkv: Fused("h.*.attn.c_attn", groups=groups),
            "layers.*.self_attn.o_proj": "h.*.attn.c_proj",
            "layers.*.cross_attn.q_proj": "h.*.crossattention.q_attn",
            ("layers.*.cross_attn.k_proj", "layers.*.cross_attn.v_proj"): Fused("h.*.crossattention.c_attn"),
            "layers.*.cross_attn.o_proj": "h.*.crossattention.c_proj",
            "layers.*.mlp.fc1": "h.*.mlp.c_fc",
            "layers.*.mlp.fc2": "h.*.mlp.c_proj",
            "norm": "ln_f",
        }

    def make_layer(self, config: GPTBigCodeConfig, layer_idx: int) -> nn.Module:
        size, heads = config.n_embd, config.n_head
        attention = partial(
            Attention,
            size,
            heads,
            scale=None if config.scale_attn_weights else 1.0,
            dropout=config.attn_pdrop,
            layer_idx=layer_idx,
        )
        return PreNormLayer(
            size,
            self.norm_of(config),
            self_attn=attention(num_kv_heads=config.num_key_value_heads, rule=CAUSAL),
            cross_attn=attention(cross=True) if config.add_cross_attention else None,
            mlp=MLP(size, config.n_inner or 4 * size, config.activation_function),
            dropout=config.resid_pdrop,
        )


class GPTBigCodeForCausalLM(ForCausalLM, GPTBigCodePreTrainedModel):
    """GPTBigCode with a language modeling head."""

    base_class = GPTBigCodeModel
    tied_weights = LM_TIE
    output_class = CausalLMOutputWithCrossAttentions


class GPTBigCodeForSequenceClassification(ForLastTokenClassification, GPTBigCodePreTrainedModel):
    """GPTBigCode with a classifier on the last token."""

    base_class = GPTBigCodeModel


class GPTBigCodeForTokenClassification(ForTokenClassification, GPTBigCodePreTrainedModel):
    """GPTBigCode with a classifier on each token."""

    base_class = GPTBigCodeModel
