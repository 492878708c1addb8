"""GPT-NeoX: attention and MLP side by side, rotary positions on a part of each head."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import ParallelLayer, PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_text.gpt_neox.config import GPTNeoXConfig


class GPTNeoXPreTrainedModel(PreTrainedModel):
    """What all GPT-NeoX classes share."""

    config_class = GPTNeoXConfig
    base_model_prefix = "gpt_neox"
    ignored_names = ("*attention.bias", "*attention.masked_bias", "*rotary_emb.inv_freq")


def gpt_neox_names(heads: int) -> dict[object, object]:
    """The names of GPT-NeoX's files, whose queries, keys and values are fused head by head."""
    qkv = tuple(f"layers.*.self_attn.{part}_proj" for part in "qkv")
    return {
        "embed_tokens": "embed_in",
        "norm": "final_layer_norm",
        qkv: Fused("layers.*.attention.query_key_value", groups=heads),
        "layers.*.self_attn.o_proj": "layers.*.attention.dense",
        "layers.*.mlp.fc1": "layers.*.mlp.dense_h_to_4h",
        "layers.*.mlp.fc2": "layers.*.mlp.dense_4h_to_h",
    }


class GPTNeoXModel(GPTNeoXPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    @property
    def hub_names(self) -> dict[object, object]:  # type: ignore[override]
        return gpt_neox_names(self.config.num_attention_heads)

    def make_layer(self, config: GPTNeoXConfig, layer_idx: int) -> nn.Module:
        wiring = partial(ParallelLayer, two_norms=True) if config.use_parallel_residual else PreNormLayer
        return wiring(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                bias=config.attention_bias,
                dropout=config.attention_dropout,
                rule=CAUSAL,
                layer_idx=layer_idx,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout,
        )

    def make_norm(self, config: GPTNeoXConfig) -> nn.Module:
        return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)


class GPTNeoXForCausalLM(ForCausalLM, GPTNeoXPreTrainedModel):
    """GPT-NeoX with a language modeling head."""

    base_class = GPTNeoXModel
    head_names = {"lm_head": "embed_out"}
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class GPTNeoXForSequenceClassification(ForLastTokenClassification, GPTNeoXPreTrainedModel):
    """GPT-NeoX with a classifier on the last token."""

    base_class = GPTNeoXModel


class GPTNeoXForTokenClassification(ForTokenClassification, GPTNeoXPreTrainedModel):
    """GPT-NeoX with a classifier on each token."""

    base_class = GPTNeoXModel


class GPTNeoXForQuestionAnswering(ForQuestionAnswering, GPTNeoXPreTrainedModel):
    """GPT-NeoX with scores of an answer's first and last token."""

    base_class = GPTNeoXModel
