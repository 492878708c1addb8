"""Stochastic depth and layer scale: what residual branches pass through before they are added."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.nn.dropout import Dropout
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import NormFactory


class DropPath(nn.Module):
    """In training, drops the whole branch of a sample with probability `p` (https://arxiv.org/abs/1603.09382)."""

    def __init__(self, p: float = 0.0) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        kept = torch.empty((len(x), *[1] * (x.dim() - 1)), dtype=x.dtype, device=x.device)
        return x * kept.bernoulli_(1.0 - self.p).div_(1.0 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def drop_rates(highest: float, count: int) -> list[float]:
    """Rates that grow linearly from 0 at the first of `count` layers to `highest` at the last."""
    return [highest * i / max(count - 1, 1) for i in range(count)]


class LayerScale(nn.Module):
    """A learned factor for each channel of a branch (https://arxiv.org/abs/2103.17239)."""

    def __init__(self, size: int, initial: float) -> None:
        super().__init__()
        self.initial = initial
        self.weight = nn.Parameter(torch.empty(size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, self.initial)

    def forward(self, x: Tensor) -> Tensor:
        """(..., size) to the same shape."""
        return x * self.weight


class ScaledPreNormLayer(nn.Module):
    """x + scale(attn(norm(x))), then x + scale(mlp(norm(x))), with stochastic depth (BEiT, DINOv2, Hiera).

    Args:
        layer_scale: initial factors of both branches; None leaves them out. drop_path: see `DropPath`.
    """

    def __init__(
        self,
        size: int,
        norm: NormFactory,
        *,
        self_attn: nn.Module,
        mlp: nn.Module,
        layer_scale: float | None = None,
        drop_path: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.self_attn, self.mlp = self_attn, mlp
        self.input_layernorm, self.post_attention_layernorm = norm(size), norm(size)
        self.layer_scale1 = nn.Identity() if layer_scale is None else LayerScale(size, layer_scale)
        self.layer_scale2 = nn.Identity() if layer_scale is None else LayerScale(size, layer_scale)
        self.dropout, self.drop_path = Dropout(dropout), DropPath(drop_path)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Tensor) -> Tensor:
        branch = self.dropout(self.self_attn(self.input_layernorm(hidden), context, **attention))
        hidden = hidden + self.drop_path(self.layer_scale1(branch))
        branch = self.dropout(self.mlp(self.post_attention_layernorm(hidden)))
        return hidden + self.drop_path(self.layer_scale2(branch))
