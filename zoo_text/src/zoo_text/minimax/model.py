"""MiniMax: lightning attention, full attention now and then, and experts in every layer."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.activation import activation
from zoo_core.nn.cache import StateSlot
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext, MaskRule
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.recording import CROSS_ATTENTIONS, record, wants
from zoo_core.nn.ssm import hide_padding, real_tokens, started, state_slot
from zoo_text.minimax.config import MiniMaxConfig
from zoo_text.mixtral.model import MixtralModel


class MiniMaxPreTrainedModel(PreTrainedModel):
    """What all MiniMax classes share."""

    config_class = MiniMaxConfig
    base_model_prefix = "model"
    always_float32 = ("self_attn.*_decay", "self_attn.slope_rate")


class MiniMaxOutput(MoeModelOutputWithPast):
    """As its base; `cross_attentions` are the memories (batch, heads, width, width) after the last token."""

    cross_attentions: tuple[Tensor, ...] | None = None


class LightningAttention(nn.Module):
    """Linear attention whose memory fades at one rate a head (https://arxiv.org/abs/2401.04658).

    Inside a block of positions it is attention with decaying weights; from block to block goes a memory
    (width, width). Checkpoints hold the decays as tables over a block, so that what is kept between calls is
    the memory at the last boundary, and the keys and values since. Blocks begin at a row's first token.
    """

    slope_rate: Tensor
    query_decay: Tensor
    key_decay: Tensor
    diagonal_decay: Tensor

    def __init__(self, config: MiniMaxConfig, layer_idx: int) -> None:
        super().__init__()
        self.layer_idx, self.block, self.heads = layer_idx, config.block_size, config.num_attention_heads
        self.depth = layer_idx / (config.num_hidden_layers - 1 + 1e-5)
        self.head_dim = config.head_dim or config.hidden_size // config.num_attention_heads
        size, inner, heads, block = config.hidden_size, self.heads * self.head_dim, self.heads, self.block
        self.qkv_proj = Linear(size, 3 * inner, bias=False)
        self.output_gate = Linear(size, inner, bias=False)
        self.out_proj = Linear(inner, size, bias=False)
        self.norm = RMSNorm(inner)
        self.act = activation(config.hidden_act)
        self.register_buffer("slope_rate", torch.empty(heads, 1, 1))
        self.register_buffer("query_decay", torch.empty(heads, block, 1))
        self.register_buffer("key_decay", torch.empty(heads, block, 1))
        self.register_buffer("diagonal_decay", torch.empty(1, heads, block, block))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """The decays: a geometric series over the heads, weaker in deeper layers."""
        rate = torch.exp2(-8 / self.heads * torch.arange(1, self.heads + 1)) * (1 - self.depth + 1e-5)
        place, rate = torch.arange(1.0, self.block + 1), rate.view(-1, 1, 1)
        self.slope_rate.copy_(rate)
        self.query_decay.copy_(torch.exp(-rate * place[:, None]))
        self.key_decay.copy_(torch.exp(-rate * (self.block - place)[:, None]))
        self.diagonal_decay.copy_(torch.exp(-rate * (place[:, None] - place).clamp(min=0)).tril())

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: object) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        slot, begun, real = state_slot(context, self.layer_idx), started(context), real_tokens(context)
        parts = self.act(self.qkv_proj(hidden)).float().unflatten(-1, (self.heads, -1)).chunk(3, dim=-1)
        query, key, value = (part.transpose(1, 2) for part in parts)
        if real is not None:
            value = value * real[:, None]
        if slot is not None and slot.state and hidden.shape[1] == 1:
            y = self.step(query, key, value, slot)
        else:
            y = self.read(query, key, value, begun, slot)
        if slot is not None:
            slot.seen += hidden.shape[1]
        y = self.norm(y.transpose(1, 2).flatten(2).to(hidden.dtype))
        return self.out_proj(torch.sigmoid(self.output_gate(hidden)) * hide_padding(y, begun))

    def read(
        self, query: Tensor, key: Tensor, value: Tensor, begun: Tensor | None, slot: StateSlot | None
    ) -> Tensor:
        """Attended values of (batch, heads, sequence, width) each, in any number of blocks."""
        batch, heads, new, width = query.shape
        taken = (
            torch.ones(batch, new, dtype=torch.bool, device=key.device) if begun is None else begun[..., 0]
        )
        memory = key.new_zeros(batch, heads, width, width)
        if slot is not None and slot.state:  # go on with the block that is not full yet
            memory, kept = slot.state["memory"], torch.arange(self.block, device=key.device)
            taken = torch.cat((kept < slot.state["filled"][:, None], taken), dim=1)
            key, value = (
                torch.cat((slot.state["key"], key), dim=2),
                torch.cat((slot.state["value"], value), dim=2),
            )
            query = F.pad(query, (0, 0, self.block, 0))
        length = taken.shape[1]
        order, count = (~taken).int().argsort(dim=1, stable=True), taken.sum(1)
        missing = self.block - length % self.block  # at least one place, so that a last block is never full
        query, key, value = (
            F.pad(x.take_along_dim(order[:, None, :, None], dim=2), (0, 0, 0, missing))
            for x in (query, key, value)
        )
        value = value * (torch.arange(length + missing, device=key.device) < count[:, None])[:, None, :, None]
        answers = []
        for start in range(0, length + missing, self.block):
            q, k, v = (x[:, :, start : start + self.block] for x in (query, key, value))
            within = (q @ k.transpose(2, 3) * self.diagonal_decay) @ v
            answers.append(within + q * self.query_decay @ memory)
            full = (count >= start + self.block).view(-1, 1, 1, 1)
            memory = torch.where(full, self.remember(memory, k, v), memory)
        first = count // self.block * self.block
        index = (first[:, None] + torch.arange(self.block, device=key.device))[:, None, :, None]
        key, value = key.take_along_dim(index, dim=2), value.take_along_dim(index, dim=2)
        self.keep(slot, memory=memory, filled=count - first, key=key, value=value)
        back = order.argsort(dim=1)[:, None, :, None]
        return torch.cat(answers, dim=2).take_along_dim(back, dim=2)[:, :, length - new :]

    def step(self, query: Tensor, key: Tensor, value: Tensor, slot: StateSlot) -> Tensor:
        """As `read` for one token of each row, (batch, heads, 1, width) each."""
        memory, filled = slot.state["memory"], slot.state["filled"]
        index = filled.view(-1, 1, 1, 1).expand_as(key)
        key = slot.state["key"].scatter(2, index, key)
        value = slot.state["value"].scatter(2, index, value)
        weights = self.diagonal_decay[0][:, filled].transpose(0, 1)[:, :, None]
        within = (query @ key.transpose(2, 3) * weights) @ value
        y = within + query * self.query_decay[:, filled].transpose(0, 1)[:, :, None] @ memory
        full = filled == self.block - 1
        if bool(full.any()):
            memory = torch.where(full.view(-1, 1, 1, 1), self.remember(memory, key, value), memory)
        value = value.masked_fill(full.view(-1, 1, 1, 1), 0.0)
        self.keep(slot, memory=memory, filled=(filled + 1).masked_fill(full, 0), key=key, value=value)
        return y

    def keep(self, slot: StateSlot | None, **state: Tensor) -> None:
        """Keep what the next call needs; on request hand over the memory as it is after the last token."""
        if slot is not None:
            slot.state.update(state)
        if wants(CROSS_ATTENTIONS):
            filled, place = state["filled"], torch.arange(self.block, device=state["filled"].device)
            left = self.key_decay[:, (place - filled[:, None]) % self.block].transpose(0, 1)
            memory = state["memory"] * torch.exp(-self.slope_rate * filled.view(-1, 1, 1, 1))
            record(CROSS_ATTENTIONS, memory + (state["key"] * left).transpose(2, 3) @ state["value"])

    def remember(self, memory: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The memory after a full block."""
        return (
            memory * torch.exp(-self.slope_rate * self.block) + (key * self.key_decay).transpose(2, 3) @ value
        )


class MiniMaxLayer(PreNormLayer):
    """Norm, attention, norm, experts; what is added to, with factors, is the normalised input of each."""

    def __init__(self, config: MiniMaxConfig, attention: nn.Module, mlp: nn.Module, kind: str) -> None:
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        super().__init__(config.hidden_size, norm, self_attn=attention, mlp=mlp)
        prefix = "linear_attn" if kind == "linear_attention" else "full_attn"
        self.attention_factors = (
            getattr(config, f"{prefix}_alpha_factor"),
            getattr(config, f"{prefix}_beta_factor"),
        )
        self.mlp_factors = config.mlp_alpha_factor, config.mlp_beta_factor

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        alpha, beta = self.attention_factors
        hidden = self.input_layernorm(hidden)
        hidden = hidden * alpha + self.self_attn(hidden, context, **attention) * beta
        alpha, beta = self.mlp_factors
        hidden = self.post_attention_layernorm(hidden)
        return hidden * alpha + self.mlp(hidden) * beta


class MiniMaxModel(MiniMaxPreTrainedModel, MixtralModel):
    """The decoder without a head."""

    output_class = MiniMaxOutput

    def make_layer(self, config: MiniMaxConfig, layer_idx: int) -> nn.Module:
        kind = (config.layer_types or [])[layer_idx]
        if kind == "linear_attention":
            attention: nn.Module = LightningAttention(config, layer_idx)
        else:
            rule = CAUSAL if config.sliding_window is None else MaskRule(True, config.sliding_window)
            attention = attention_of(config, layer_idx, rule=rule)
        return MiniMaxLayer(config, attention, self.make_mlp(config, layer_idx), kind)


class MiniMaxForCausalLM(ForMoeCausalLM, MiniMaxPreTrainedModel):
    """MiniMax with a language modeling head."""

    base_class = MiniMaxModel


class MiniMaxForSequenceClassification(ForLastTokenClassification, MiniMaxPreTrainedModel):
    """MiniMax with a classifier on the last token."""

    base_class = MiniMaxModel


class MiniMaxForTokenClassification(ForTokenClassification, MiniMaxPreTrainedModel):
    """MiniMax with a classifier on each token."""

    base_class = MiniMaxModel
    head_names = {"classifier": "score"}


class MiniMaxForQuestionAnswering(ForQuestionAnswering, MiniMaxPreTrainedModel):
    """MiniMax with scores of an answer's first and last token."""

    base_class = MiniMaxModel
