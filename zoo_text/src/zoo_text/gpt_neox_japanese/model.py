"""GPT-NeoX Japanese: GPT-NeoX with branches in turn, and almost without biases."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_text.gpt_neox.model import gpt_neox_names
from zoo_text.gpt_neox_japanese.config import GPTNeoXJapaneseConfig


class GPTNeoXJapanesePreTrainedModel(PreTrainedModel):
    """What all GPT-NeoX Japanese classes share."""

    config_class = GPTNeoXJapaneseConfig
    base_model_prefix = "gpt_neox_japanese"
    ignored_names = ("*attention.bias", "*attention.masked_bias", "*rotary_emb.inv_freq")


class GPTNeoXJapaneseModel(GPTNeoXJapanesePreTrainedModel, DecoderModel):
    """The decoder without a head; of all its linear layers only the last attention's output has a bias."""

    @property
    def hub_names(self) -> dict[object, object]:  # type: ignore[override]
        names = gpt_neox_names(self.config.num_attention_heads)
        return names | {"layers.*.self_attn.o_proj.bias": "layers.*.attention.dense_bias"}

    def make_layer(self, config: GPTNeoXJapaneseConfig, layer_idx: int) -> nn.Module:
        size = config.hidden_size
        return PreNormLayer(
            size,
            self.norm_of(config),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                bias=False,
                out_bias=layer_idx == config.num_hidden_layers - 1,
                dropout=config.attention_dropout,
                rule=CAUSAL,
                layer_idx=layer_idx,
            ),
            mlp=MLP(size, config.intermediate_multiple_size * size, config.hidden_act, bias=False),
            dropout=config.hidden_dropout,
        )

    def norm_of(self, config: GPTNeoXJapaneseConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_eps)


class GPTNeoXJapaneseForCausalLM(ForCausalLM, GPTNeoXJapanesePreTrainedModel):
    """GPT-NeoX Japanese with a language modeling head."""

    base_class = GPTNeoXJapaneseModel
    head_names = {"lm_head": "embed_out"}
