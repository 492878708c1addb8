"""RecurrentGemma, the language model of Griffin (https://arxiv.org/abs/2402.19427).

Gated linear recurrences, with an attention layer over a window now and then.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation, softcap
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext, MaskRule
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.ssm import CausalConv1d, hide_padding, linear_scan, started, state_slot
from zoo_text.gemma.model import GemmaDecoder, gemma_norm
from zoo_text.recurrent_gemma.config import RecurrentGemmaConfig

#: how strongly the recurrence gate acts on the decay, "c" of the paper
GATE_STRENGTH = 8.0


class RecurrentGemmaPreTrainedModel(PreTrainedModel):
    """What all RecurrentGemma classes share."""

    config_class = RecurrentGemmaConfig
    base_model_prefix = "model"


class GatedLinearUnit(nn.Module):
    """The real-gated linear recurrent unit (section 2.4): h[t] = a[t] h[t-1] + sqrt(1 - a[t]^2) i[t] x[t].

    Gates are block-diagonal linear layers, one block of width lru_width / heads a head.
    """

    def __init__(self, width: int, heads: int, init_scale: float) -> None:
        super().__init__()
        block = width // heads
        self.init_scale = init_scale
        self.recurrent_param = nn.Parameter(torch.empty(width))
        self.input_gate_weight = nn.Parameter(torch.empty(heads, block, block))
        self.input_gate_bias = nn.Parameter(torch.empty(heads, block))
        self.recurrent_gate_weight = nn.Parameter(torch.empty(heads, block, block))
        self.recurrent_gate_bias = nn.Parameter(torch.empty(heads, block))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        std = (self.init_scale / self.input_gate_weight.shape[1]) ** 0.5
        for gate in ("input", "recurrent"):
            nn.init.normal_(getattr(self, f"{gate}_gate_weight"), std=std)
            nn.init.zeros_(getattr(self, f"{gate}_gate_bias"))
        decay = torch.empty_like(self.recurrent_param).uniform_(0.9**2 + 1e-8, 0.999**2 + 1e-8)
        self.recurrent_param.copy_(torch.log(torch.expm1(-0.5 * decay.log())))  # a at full strength

    def gate(self, x: Tensor, name: str) -> Tensor:
        """Sigmoid of the block-diagonal layer `name`, (batch, sequence, width)."""
        blocks = x.unflatten(-1, self.input_gate_bias.shape)
        weight, bias = getattr(self, f"{name}_gate_weight"), getattr(self, f"{name}_gate_bias")
        return torch.sigmoid(torch.einsum("bthi,hij->bthj", blocks, weight) + bias).flatten(2)

    def forward(self, x: Tensor, first: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """All states of (batch, sequence, width), and the last; `first` (..., sequence, 1) begins anew."""
        log_decay = -GATE_STRENGTH * self.gate(x, "recurrent").float() * F.softplus(self.recurrent_param)
        scale = torch.sqrt(-torch.expm1(2 * log_decay)).masked_fill(first, 1.0)
        keep = log_decay.exp().masked_fill(first, 0.0)
        add = (x * self.gate(x, "input")).float() * scale
        states = linear_scan(keep, add, torch.zeros_like(add[:, 0]) if state is None else state)
        return states.to(x.dtype), states[:, -1].clone()


class RecurrentBlock(nn.Module):
    """A convolution and a recurrence on one branch, a GELU gate on the other."""

    def __init__(self, config: RecurrentGemmaConfig, layer_idx: int) -> None:
        super().__init__()
        size, width = config.hidden_size, config.lru_width or config.hidden_size
        self.layer_idx = layer_idx
        self.linear_y = Linear(size, width)
        self.linear_x = Linear(size, width)
        self.linear_out = Linear(width, size)
        self.conv_1d = CausalConv1d(width, config.conv1d_width)
        self.rg_lru = GatedLinearUnit(width, config.num_attention_heads, config.w_init_variance_scale)
        self.act = activation(config.hidden_activation)

    def forward(self, hidden: Tensor, context: AttentionContext, *, first: Tensor, **unused: Any) -> Tensor:
        slot, begun = state_slot(context, self.layer_idx), started(context)
        x = self.conv_1d(hide_padding(self.linear_x(hidden), begun), slot)
        states, last = self.rg_lru(x, first, None if slot is None else slot.state.get("lru"))
        if slot is not None:
            slot.state["lru"] = last
            slot.seen += hidden.shape[1]
        return self.linear_out(states * self.act(self.linear_y(hidden)))


class RecurrentGemmaLayer(PreNormLayer):
    """A recurrent or an attention block, then a gated MLP."""

    hub_names = {
        "input_layernorm": "temporal_pre_norm",
        "self_attn": "temporal_block",
        "post_attention_layernorm": "channel_pre_norm",
        "mlp": "mlp_block",
    }

    def __init__(self, config: RecurrentGemmaConfig, layer_idx: int) -> None:
        self.attends = config.layers_block_type[layer_idx] == "attention"
        block = attention_of(
            config, layer_idx, out_bias=True, rule=MaskRule(causal=True, window=config.attention_window_size)
        ) if self.attends else RecurrentBlock(config, layer_idx)  # fmt: skip
        super().__init__(
            config.hidden_size,
            gemma_norm(config),
            self_attn=block,
            mlp=GatedMLP(
                config.hidden_size, config.intermediate_size // 2, config.hidden_activation, bias=True
            ),
        )

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        if self.attends:
            attention.pop("first")
        return super().forward(hidden, context, **attention)


class RecurrentGemmaModel(RecurrentGemmaPreTrainedModel, GemmaDecoder):
    """The decoder without a head."""

    hub_names = {"norm": "final_norm"}

    def make_layer(self, config: RecurrentGemmaConfig, layer_idx: int) -> nn.Module:
        return RecurrentGemmaLayer(config, layer_idx)

    def make_rotary(self, config: RecurrentGemmaConfig) -> dict[str, RotaryEmbedding]:
        head_dim = config.head_dim or config.hidden_size // config.num_attention_heads
        width = int(head_dim * config.partial_rotary_factor)
        return {"full": RotaryEmbedding(width, theta=config.rope_theta)}

    def rotary_arguments(
        self, hidden: Tensor, context: AttentionContext, position_ids: Tensor | None
    ) -> dict[str, Any]:
        """Rotary tables, and `first`: where a recurrence begins, at position 0 and after left padding."""
        positions = context.positions[None] if position_ids is None else position_ids
        first = positions == 0
        if context.padding is not None:
            real = context.padding[:, 0, -1].int()
            first = first | (real.cumsum(1) == real).index_select(1, context.positions)
        return {"first": first[..., None], **super().rotary_arguments(hidden, context, position_ids)}


class RecurrentGemmaForCausalLM(ForCausalLM, RecurrentGemmaPreTrainedModel):
    """RecurrentGemma with a language modeling head whose scores are softly capped.

    Its output holds the hidden states, as callers of this family expect, unless `logits_to_keep` is given,
    as in generation.
    """

    base_class = RecurrentGemmaModel

    def forward(
        self, input_ids: Tensor | None = None, *, logits_to_keep: int | Tensor = 0, **inputs: Any
    ) -> ModelOutput:
        if isinstance(logits_to_keep, int) and logits_to_keep == 0:
            inputs["output_hidden_states"] = True
        return super().forward(input_ids, logits_to_keep=logits_to_keep, **inputs)

    def score(self, hidden: Tensor) -> Tensor:
        return softcap(super().score(hidden), self.config.logits_soft_cap)
