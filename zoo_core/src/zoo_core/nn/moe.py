"""Mixtures of experts: a router chooses a few experts for each token.

All experts of a layer are one stacked weight, so that a checkpoint with hundreds of experts is a handful
of tensors, and choosing is indexing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.activation import Activation, activation
from zoo_core.nn.recording import record


class Router(nn.Module):
    """Softmax over all experts, then the best `top_k` (https://arxiv.org/abs/2101.03961).

    Args:
        normalize: make the chosen weights sum to one (Mixtral).
        softmax_after: softmax over the chosen experts only (GPT-OSS, Granite).
        scaling: factor of the weights.
        float32: score in float32, whatever the model's dtype is.
    """

    #: whether answers of experts are added up in float32, rather than in the model's dtype
    weigh_in_float32 = False

    def __init__(
        self,
        hidden_size: int,
        num_experts: int,
        top_k: int,
        *,
        normalize: bool = False,
        softmax_after: bool = False,
        scaling: float = 1.0,
        bias: bool = False,
        float32: bool = False,
    ) -> None:
        super().__init__()
        self.float32 = float32
        self.weight = nn.Parameter(torch.empty(num_experts, hidden_size))
        self.bias = nn.Parameter(torch.empty(num_experts)) if bias else None
        self.reset_parameters()
        self.top_k, self.normalize, self.softmax_after, self.scaling = (
            top_k,
            normalize,
            softmax_after,
            scaling,
        )

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.02)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(tokens, hidden) to the chosen experts and their weights, (tokens, top_k) each.

        The answers of experts are weighed and added up in the dtype of the weights.
        """
        logits = self.logits(tokens)
        record("router_logits", logits)
        index, weight = self.choose(logits)
        return index, weight if self.weigh_in_float32 else weight.to(tokens.dtype)

    def logits(self, tokens: Tensor) -> Tensor:
        """The scores (tokens, experts)."""
        if self.float32:
            bias = None if self.bias is None else self.bias.float()
            return F.linear(tokens.float(), self.weight.float(), bias)
        return F.linear(tokens, self.weight, self.bias)

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Experts and float32 weights from the scores (tokens, experts)."""
        if self.softmax_after:
            best, index = logits.topk(self.top_k, dim=-1)
            weight = best.softmax(-1, dtype=torch.float32)
        else:
            weight, index = logits.softmax(-1, dtype=torch.float32).topk(self.top_k, dim=-1)
            if self.normalize:
                weight = weight / weight.sum(-1, keepdim=True)
        return index, weight * self.scaling if self.scaling != 1.0 else weight


class GroupedRouter(Router):
    """Sigmoid scores, chosen with a correction that balances load, from the best groups of experts.

    DeepSeek-V3 (https://arxiv.org/abs/2412.19437): experts stand in `groups` groups; a group counts by its
    two best corrected scores, and only `top_groups` groups are eligible. The weights are the scores without
    the correction.
    """

    weigh_in_float32 = True

    def __init__(
        self,
        hidden_size: int,
        num_experts: int,
        top_k: int,
        *,
        groups: int = 1,
        top_groups: int = 1,
        normalize: bool = True,
        scaling: float = 1.0,
    ) -> None:
        super().__init__(hidden_size, num_experts, top_k, normalize=normalize, scaling=scaling, float32=True)
        self.groups, self.top_groups = groups, top_groups
        self.register_buffer("e_score_correction_bias", torch.zeros(num_experts))

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        scores = logits.sigmoid()
        corrected = scores + self.get_buffer("e_score_correction_bias")
        if self.groups > 1:
            grouped = corrected.unflatten(-1, (self.groups, -1))
            best = grouped.topk(2, dim=-1).values.sum(-1).topk(self.top_groups, dim=-1).indices
            eligible = torch.zeros_like(grouped[..., 0], dtype=torch.bool).scatter(-1, best, True)
            corrected = grouped.masked_fill(~eligible[..., None], 0.0).flatten(-2)
        index = corrected.topk(self.top_k, dim=-1, sorted=False).indices
        weight = scores.gather(-1, index)
        if self.normalize:
            weight = weight / (weight.sum(-1, keepdim=True) + 1e-20)
        return index, weight * self.scaling


class StackedExperts(nn.Module):
    """Sends tokens to their experts and adds up the answers; a subclass holds the weights."""

    def __init__(self, num_experts: int) -> None:
        super().__init__()
        self.num_experts = num_experts

    def reset_parameters(self) -> None:
        for name, weight in self.named_parameters(recurse=False):
            nn.init.normal_(weight, std=0.0 if name.endswith("bias") else 0.02)

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        """What expert `number` makes of its tokens (n, hidden)."""
        raise NotImplementedError

    def forward(self, tokens: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        """(tokens, hidden) and each token's experts and weights (tokens, top_k) to (tokens, hidden)."""
        top_k = index.shape[1]
        order = index.flatten().argsort(stable=True)
        counts = torch.bincount(index.flatten(), minlength=self.num_experts).tolist()
        rows = order // top_k
        mixed = torch.zeros_like(tokens, dtype=weight.dtype)
        factors = weight.flatten()[order, None]
        start = 0
        for number, count in enumerate(counts):
            if count:
                mine = rows[start : start + count]
                result = self.expert(number, tokens[mine]) * factors[start : start + count]
                mixed.index_add_(0, mine, result.to(mixed.dtype))
                start += count
        return mixed.to(tokens.dtype)


class Experts(StackedExperts):
    """Gated MLPs: gate_proj and up_proj (experts, intermediate, hidden), down_proj the other way."""

    def __init__(
        self, num_experts: int, hidden_size: int, intermediate_size: int, act: str | Activation
    ) -> None:
        super().__init__(num_experts)
        self.gate_proj = nn.Parameter(torch.empty(num_experts, intermediate_size, hidden_size))
        self.up_proj = nn.Parameter(torch.empty(num_experts, intermediate_size, hidden_size))
        self.down_proj = nn.Parameter(torch.empty(num_experts, hidden_size, intermediate_size))
        self.act = activation(act)
        self.reset_parameters()

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        gate, up = F.linear(tokens, self.gate_proj[number]), F.linear(tokens, self.up_proj[number])
        return F.linear(self.act(gate) * up, self.down_proj[number])


class MixtureOfExperts(nn.Module):
    """A router, its experts, and experts that every token visits (`shared`), added as they are."""

    shared_experts: nn.Module | None

    def __init__(self, router: Router, experts: StackedExperts, shared: nn.Module | None = None) -> None:
        super().__init__()
        self.router, self.experts, self.shared_experts = router, experts, shared

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        tokens = hidden.flatten(0, -2)
        mixed = self.experts(tokens, *self.router(tokens)).view_as(hidden)
        return mixed if self.shared_experts is None else mixed + self.shared_experts(hidden)


def load_balancing_loss(
    router_logits: tuple[Tensor, ...], num_experts: int, top_k: int, attention_mask: Tensor | None = None
) -> Tensor:
    """Products of the share of tokens and the mean probability of each expert, times their number.

    Switch Transformer, equations 4 to 6 (https://arxiv.org/abs/2101.03961), over all layers together;
    padding (0 in `attention_mask` (batch, sequence)) does not count.
    """
    probabilities = torch.stack([logits.softmax(-1) for logits in router_logits]).float()
    chosen = F.one_hot(
        probabilities.topk(top_k, dim=-1).indices, num_experts
    ).float()  # (layers, tokens, k, E)
    if attention_mask is None:
        share, mean = chosen.mean((0, 1)), probabilities.mean((0, 1))
    else:
        counted = attention_mask.to(probabilities).flatten()[None, :, None]
        total = counted.sum() * len(router_logits)
        share = (chosen * counted[..., None]).sum((0, 1)) / total
        mean = (probabilities * counted).sum((0, 1)) / total
    return (share * mean).sum() * num_experts
