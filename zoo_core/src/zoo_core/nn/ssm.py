"""State-space layers: a causal convolution and a linear recurrence, both of which remember where they are.

A state is kept in a `StateSlot`, so that a sequence may be read in pieces of any length: a prompt at once,
then token by token. Padding must be zero where it enters the convolution and the recurrence (`hide_padding`);
a state that is still zero then stays zero, and padding on the left changes nothing.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.activation import activation
from zoo_core.nn.cache import StateSlot
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext

#: positions whose transitions are held in memory at once
SCAN_BLOCK = 64


def real_tokens(context: AttentionContext) -> Tensor | None:
    """(batch, query, 1) bool, False for padding among the tokens of this call; None if there is none."""
    if context.padding is None:
        return None
    mask = context.padding[:, 0, -1]
    if mask.shape[1] != context.query_length:  # it covers what the cache holds, and maybe what is to come
        mask = mask.index_select(1, context.positions.to(mask.device))
    return mask[..., None]


def started(context: AttentionContext) -> Tensor | None:
    """(batch, query, 1) bool, False for padding before a row's first token; None if there is no padding.

    For recurrences whose recorded answers read the padding that follows tokens like any other token.
    """
    if context.padding is None:
        return None
    begun = context.padding[:, 0, -1].cumsum(1) > 0
    return begun.index_select(1, context.positions.to(begun.device))[..., None]


def hide_padding(x: Tensor, real: Tensor | None) -> Tensor:
    """(batch, query, width) with zeros for padding, see `real_tokens`."""
    return x if real is None else x * real.to(x.dtype)


def state_slot(context: AttentionContext, layer_idx: int) -> StateSlot | None:
    """The layer's slot in the cache of this call."""
    return None if context.cache is None else context.cache.state(layer_idx)


class CausalConv1d(nn.Conv1d):
    """A convolution of each channel over the last `width` positions.

    Weight (channels, 1, width), the newest position last.
    """

    def __init__(self, channels: int, width: int, *, bias: bool = True) -> None:
        super().__init__(channels, channels, width, groups=channels, bias=bias)

    def forward(self, x: Tensor, slot: StateSlot | None = None, name: str = "conv") -> Tensor:
        """(batch, sequence, channels) to the same shape; what the next call needs is kept in `slot`."""
        kept = self.kernel_size[0] - 1
        before = None if slot is None else slot.state.get(name)
        if before is None:
            before = x.new_zeros(x.shape[0], x.shape[2], kept)
        window = torch.cat((before, x.transpose(1, 2)), dim=-1)
        if slot is not None:
            slot.state[name] = window[..., window.shape[-1] - kept :].clone()
        if x.shape[1] > 1:
            return F.conv1d(window, self.weight, self.bias, groups=self.groups).transpose(1, 2)
        y = (window * self.weight[:, 0]).sum(-1)
        return (y if self.bias is None else y + self.bias)[:, None]


def linear_scan(keep: Tensor, add: Tensor, state: Tensor) -> Tensor:
    """All states (batch, sequence, ...) of h[t] = keep[t] h[t-1] + add[t], from `state` (batch, ...)."""
    states = []
    for t in range(add.shape[1]):
        state = torch.addcmul(add[:, t], keep[:, t], state)
        states.append(state)
    return torch.stack(states, dim=1)


def selective_scan(
    x: Tensor, step: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """h[t] = exp(step[t] decay) h[t-1] + step[t] x[t] write[t]; y[t] = h[t] . read[t].

    The recurrence of Mamba (https://arxiv.org/abs/2312.00752, equation 2), computed in float32.

    Args:
        x, step: (batch, sequence, channels). decay: (channels, n), negative.
        write, read: (batch, sequence, n), "B" and "C" of the paper.
        state: (batch, channels, n), what an earlier call returned.

    Returns:
        y (batch, sequence, channels) and the last state.
    """
    x, step, write, read = x.float(), step.float(), write.float(), read.float()
    if state is None:
        state = x.new_zeros(x.shape[0], *decay.shape)
    answers = []
    for start in range(0, x.shape[1], SCAN_BLOCK):
        part = slice(start, start + SCAN_BLOCK)
        keep = torch.exp(step[:, part, :, None] * decay)
        add = (step[:, part] * x[:, part])[..., None] * write[:, part, None]
        states = linear_scan(keep, add, state)
        state = states[:, -1]
        answers.append(torch.einsum("btcn,btn->btc", states, read[:, part]))
    return torch.cat(answers, dim=1), state


def chunked_scan(
    x: Tensor,
    step: Tensor,
    decay: Tensor,
    write: Tensor,
    read: Tensor,
    state: Tensor | None = None,
    *,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """As `selective_scan` with one decay a head, as matrix products over chunks of the sequence.

    The "state-space dual" form of Mamba-2 (https://arxiv.org/abs/2405.21060, section 6): inside a chunk the
    recurrence is an attention whose weights decay; between chunks only the state is carried. In float32.

    Args:
        x: (batch, sequence, heads, width). step: (batch, sequence, heads). decay: (heads,), negative.
        write, read: (batch, sequence, groups, n); consecutive heads share a group.
        state: (batch, heads, width, n).

    Returns:
        y (batch, sequence, heads, width) and the last state.
    """
    heads, per_group = x.shape[2], x.shape[2] // write.shape[2]
    x, step = x.float() * step[..., None], step.float()
    if state is None:
        state = x.new_zeros(x.shape[0], heads, x.shape[3], write.shape[3])
    answers = []
    for start in range(0, x.shape[1], chunk):
        part = slice(start, start + chunk)
        values = x[:, part].transpose(1, 2)  # (batch, heads, chunk, width)
        keys = write[:, part].float().repeat_interleave(per_group, dim=2).transpose(1, 2)
        queries = read[:, part].float().repeat_interleave(per_group, dim=2).transpose(1, 2)
        total = (step[:, part] * decay).transpose(1, 2).cumsum(-1)  # log of what is left of older states
        length = total.shape[-1]
        later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        left = (total[..., :, None] - total[..., None, :]).masked_fill(later, -math.inf).exp()
        within = (queries @ keys.transpose(2, 3) * left) @ values
        before = (queries * total.exp()[..., None]) @ state.transpose(2, 3)
        answers.append((within + before).transpose(1, 2))
        fading = (total[..., -1:] - total).exp()[..., None]
        state = state * total[..., -1, None, None].exp() + (values * fading).transpose(2, 3) @ keys
    return torch.cat(answers, dim=1), state


def inverse_softplus_of_steps(shape: tuple[int, ...], low: float, high: float, floor: float) -> Tensor:
    """Biases whose softplus is spread evenly on a log scale over [low, high], not below `floor`."""
    step = torch.exp(torch.rand(shape) * (math.log(high) - math.log(low)) + math.log(low)).clamp(min=floor)
    return step + torch.log(-torch.expm1(-step))


class MambaMixer(nn.Module):
    """The selective state space of Mamba (https://arxiv.org/abs/2312.00752), with its convolution and gate.

    Args:
        hidden_size: width of input and output. inner_size: width of the state space's input.
        state_size: width of a channel's state. step_rank: width from which the steps are projected.
        steps: lowest, highest and floor of the steps that fresh weights make.
    """

    def __init__(
        self,
        hidden_size: int,
        inner_size: int,
        *,
        state_size: int,
        step_rank: int,
        conv_width: int,
        conv_bias: bool,
        bias: bool,
        act: str,
        layer_idx: int,
        steps: tuple[float, float, float] = (0.001, 0.1, 1e-4),
    ) -> None:
        super().__init__()
        self.layer_idx, self.steps = layer_idx, steps
        self.sizes = [step_rank, state_size, state_size]
        self.in_proj = Linear(hidden_size, 2 * inner_size, bias=bias)
        self.conv1d = CausalConv1d(inner_size, conv_width, bias=conv_bias)
        self.x_proj = Linear(inner_size, sum(self.sizes), bias=False)
        self.dt_proj = Linear(step_rank, inner_size)
        self.out_proj = Linear(inner_size, hidden_size, bias=bias)
        self.A_log = nn.Parameter(torch.empty(inner_size, state_size))
        self.D = nn.Parameter(torch.empty(inner_size))
        self.act = activation(act)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        self.A_log.copy_(torch.arange(1, self.A_log.shape[1] + 1).float().log().expand_as(self.A_log))
        nn.init.ones_(self.D)
        scale = self.dt_proj.in_features**-0.5
        nn.init.uniform_(self.dt_proj.weight, -scale, scale)
        self.dt_proj.bias.copy_(inverse_softplus_of_steps((self.dt_proj.out_features,), *self.steps))

    def select(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Steps before their projection, and what is written and read, of (batch, sequence, inner)."""
        step, write, read = self.x_proj(x).split(self.sizes, dim=-1)
        return step, write, read

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: object) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        slot, real = state_slot(context, self.layer_idx), real_tokens(context)
        x, gate = self.in_proj(hidden).chunk(2, dim=-1)
        x = hide_padding(self.act(self.conv1d(hide_padding(x, real), slot)), real)
        step, write, read = self.select(x)
        step, decay = F.softplus(self.dt_proj(step)), -torch.exp(self.A_log.float())
        state = None if slot is None else slot.state.get("ssm")
        y, state = selective_scan(x, step, decay, write, read, state)
        if slot is not None:
            slot.state["ssm"] = state.clone()
            slot.seen += hidden.shape[1]
        y = (y + x * self.D) * self.act(gate)
        return self.out_proj(y.to(hidden.dtype))


class GatedRMSNorm(nn.Module):
    """RMS norm of x * silu(gate), in float32, over each of `groups` equal parts of the width.

    Args:
        gate_first: multiply by the gate before the norm, rather than after it.
    """

    def __init__(self, size: int, eps: float, *, groups: int = 1, gate_first: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps, self.groups, self.gate_first = eps, groups, gate_first

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        y, gate = x.float(), F.silu(gate.float())
        if self.gate_first:
            y = y * gate
        y = y.unflatten(-1, (self.groups, -1))
        y = (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps)).flatten(-2)
        y = self.weight * y.to(self.weight.dtype)
        return y if self.gate_first else (y * gate).to(self.weight.dtype)


class Mamba2Mixer(nn.Module):
    """The state space of Mamba-2 (https://arxiv.org/abs/2405.21060): heads with one decay each.

    Args:
        hidden_size: width of input and output. heads, head_dim: of the state space's input.
        state_size: width of a channel's state. groups: how many different "B" and "C" the heads share.
        norm: makes the gated norm before the output, given its width; without, y * silu(gate).
        chunk: positions that are computed as one product. step_limit: the steps are cut off there.
        steps: lowest, highest and floor of the steps that fresh weights make.
    """

    def __init__(
        self,
        hidden_size: int,
        *,
        heads: int,
        head_dim: int,
        state_size: int,
        groups: int,
        conv_width: int,
        conv_bias: bool,
        bias: bool,
        act: str,
        norm: nn.Module | None,
        chunk: int,
        layer_idx: int,
        step_limit: tuple[float, float] = (0.0, math.inf),
        steps: tuple[float, float, float] = (0.001, 0.1, 1e-4),
    ) -> None:
        super().__init__()
        self.layer_idx, self.chunk, self.step_limit, self.steps = layer_idx, chunk, step_limit, steps
        self.head_dim, self.groups = head_dim, groups
        inner = heads * head_dim
        self.sizes = [inner, groups * state_size, groups * state_size]
        self.in_proj = Linear(hidden_size, inner + sum(self.sizes) + heads, bias=bias)
        self.conv1d = CausalConv1d(sum(self.sizes), conv_width, bias=conv_bias)
        self.dt_bias = nn.Parameter(torch.empty(heads))
        self.A_log = nn.Parameter(torch.empty(heads))
        self.D = nn.Parameter(torch.empty(heads))
        self.norm = norm
        self.out_proj = Linear(inner, hidden_size, bias=bias)
        self.act = activation(act)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        self.A_log.copy_(torch.arange(1, len(self.A_log) + 1).float().log())
        nn.init.ones_(self.D)
        self.dt_bias.copy_(inverse_softplus_of_steps((len(self.dt_bias),), *self.steps))

    def project(self, hidden: Tensor) -> Tensor:
        """Gate, input of the convolution, and steps of a head, side by side."""
        return self.in_proj(hidden)

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: object) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        slot, real = state_slot(context, self.layer_idx), real_tokens(context)
        projected = self.project(hide_padding(hidden, real))
        gate, mixed, step = projected.split([self.sizes[0], sum(self.sizes), len(self.D)], dim=-1)
        mixed = hide_padding(self.act(self.conv1d(hide_padding(mixed, real), slot)), real)
        x, write, read = (part.unflatten(-1, (n, -1)) for part, n in zip(
            mixed.split(self.sizes, dim=-1), (len(self.D), self.groups, self.groups), strict=True
        ))  # fmt: skip
        step = F.softplus(step.float() + self.dt_bias.float()).clamp(*self.step_limit)
        state = None if slot is None else slot.state.get("ssm")
        decay = -torch.exp(self.A_log.float())
        y, state = chunked_scan(x, step, decay, write, read, state, chunk=self.chunk)
        if slot is not None:
            slot.state["ssm"] = state
            slot.seen += hidden.shape[1]
        y = (y + x * self.D[:, None]).flatten(2)
        y = y * F.silu(gate) if self.norm is None else self.norm(y, gate)
        return self.out_proj(y.to(hidden.dtype))
