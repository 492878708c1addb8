"""LFM2: short gated convolutions with an attention layer now and then."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.ssm import CausalConv1d, hide_padding, started, state_slot
from zoo_text.lfm2.config import Lfm2Config


class Lfm2PreTrainedModel(PreTrainedModel):
    """What all LFM2 classes share."""

    config_class = Lfm2Config
    base_model_prefix = "model"


class ShortConv(nn.Module):
    """A causal convolution of a few positions, gated before and after: out(c * conv(b * x))."""

    def __init__(self, config: Lfm2Config, layer_idx: int) -> None:
        super().__init__()
        size, bias = config.hidden_size, config.conv_bias
        self.layer_idx = layer_idx
        self.conv = CausalConv1d(size, config.conv_L_cache, bias=bias)
        self.in_proj = Linear(size, 3 * size, bias=bias)
        self.out_proj = Linear(size, size, bias=bias)

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: Any) -> Tensor:
        slot, real = state_slot(context, self.layer_idx), started(context)
        before, after, x = self.in_proj(hide_padding(hidden, real)).chunk(3, dim=-1)
        mixed = self.conv(hide_padding(before * x, real), slot)
        if slot is not None:
            slot.seen += hidden.shape[1]
        return self.out_proj(after * mixed)


class Lfm2Layer(PreNormLayer):
    """A convolution or attention with norms of queries and keys, then a gated MLP."""

    def __init__(self, config: Lfm2Config, layer_idx: int) -> None:
        norm = partial(RMSNorm, eps=config.norm_eps)
        attends = (config.layer_types or [])[layer_idx] == "full_attention"
        super().__init__(
            config.hidden_size,
            norm,
            self_attn=attention_of(config, layer_idx, qk_norm=norm)
            if attends
            else ShortConv(config, layer_idx),
            mlp=GatedMLP(config.hidden_size, config.ff_size, "silu"),
        )
        self.hub_names = {
            "input_layernorm": "operator_norm",
            "post_attention_layernorm": "ffn_norm",
            "mlp.gate_proj": "feed_forward.w1",
            "mlp.up_proj": "feed_forward.w3",
            "mlp.down_proj": "feed_forward.w2",
        } | (ATTENTION_NAMES if attends else {"self_attn": "conv"})


ATTENTION_NAMES = {
    "self_attn.q_norm": "self_attn.q_layernorm",
    "self_attn.k_norm": "self_attn.k_layernorm",
    "self_attn.o_proj": "self_attn.out_proj",
}


class Lfm2Model(Lfm2PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {"norm": "embedding_norm"}

    def make_layer(self, config: Lfm2Config, layer_idx: int) -> nn.Module:
        return Lfm2Layer(config, layer_idx)

    def norm_of(self, config: Lfm2Config) -> NormFactory:
        return partial(RMSNorm, eps=config.norm_eps)


class Lfm2ForCausalLM(ForCausalLM, Lfm2PreTrainedModel):
    """LFM2 with a language modeling head."""

    base_class = Lfm2Model
