"""Distributions that time series models predict, with the layer that makes their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import (
    AffineTransform,
    Distribution,
    NegativeBinomial,
    Normal,
    StudentT,
    TransformedDistribution,
)


class AffineTransformed(TransformedDistribution):
    """A distribution scaled, then moved."""

    def __init__(self, base: Distribution, loc: Any = None, scale: Any = None, event_dim: int = 0) -> None:
        self.scale = 1.0 if scale is None else scale
        self.loc = 0.0 if loc is None else loc
        super().__init__(base, [AffineTransform(self.loc, self.scale, event_dim=event_dim)])

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean * self.scale + self.loc

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance * self.scale**2


class ParameterProjection(nn.Module):
    """One linear layer for each parameter of a distribution, then its domain."""

    def __init__(self, in_features: int, sizes: dict[str, int], domain_map: Callable[..., Any]) -> None:
        super().__init__()
        self.proj = nn.ModuleList(nn.Linear(in_features, size) for size in sizes.values())
        self._domain_map = domain_map

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = self._domain_map(*(layer(x) for layer in self.proj))
        return found


class DistributionOutput:
    """What a model must predict to give a distribution."""

    args_dim: ClassVar[dict[str, int]] = {}
    distribution_class: ClassVar[Any] = None

    def __init__(self, dim: int = 1) -> None:
        self.dim = dim
        self.sizes = {name: dim * size for name, size in self.args_dim.items()}

    @property
    def event_shape(self) -> tuple[int, ...]:
        return () if self.dim == 1 else (self.dim,)

    @property
    def event_dim(self) -> int:
        return len(self.event_shape)

    @property
    def value_in_support(self) -> float:
        return 0.0

    def get_parameter_projection(self, in_features: int) -> nn.Module:
        return ParameterProjection(in_features, self.sizes, self.domain_map)

    def domain_map(self, *args: Tensor) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _base(self, arguments: Any) -> Distribution:
        base: Distribution = self.distribution_class(**dict(zip(self.args_dim, arguments, strict=True)))
        return base if self.dim == 1 else torch.distributions.Independent(base, 1)

    def distribution(self, distr_args: Any, loc: Any = None, scale: Any = None) -> Distribution:
        """The distribution, scaled and moved."""
        base = self._base(distr_args)
        if loc is None and scale is None:
            return base
        return AffineTransformed(base, loc=loc, scale=scale, event_dim=self.event_dim)

    @staticmethod
    def squareplus(x: Tensor) -> Tensor:
        """A smooth map to positive numbers (https://arxiv.org/abs/2112.11687)."""
        return (x + torch.sqrt(torch.square(x) + 4.0)) / 2.0


class NormalOutput(DistributionOutput):
    """Mean and standard deviation."""

    args_dim: ClassVar[dict[str, int]] = {"loc": 1, "scale": 1}
    distribution_class = Normal

    def domain_map(self, loc: Tensor, scale: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        scale = self.squareplus(scale).clamp_min(torch.finfo(scale.dtype).eps)
        return loc.squeeze(-1), scale.squeeze(-1)


class StudentTOutput(DistributionOutput):
    """Degrees of freedom above two, mean and scale."""

    args_dim: ClassVar[dict[str, int]] = {"df": 1, "loc": 1, "scale": 1}
    distribution_class = StudentT

    def domain_map(self, df: Tensor, loc: Tensor, scale: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        scale = self.squareplus(scale).clamp_min(torch.finfo(scale.dtype).eps)
        return (2.0 + self.squareplus(df)).squeeze(-1), loc.squeeze(-1), scale.squeeze(-1)


class NegativeBinomialOutput(DistributionOutput):
    """Total count and logits; a scale multiplies the mean."""

    args_dim: ClassVar[dict[str, int]] = {"total_count": 1, "logits": 1}
    distribution_class = NegativeBinomial

    def domain_map(self, total_count: Tensor, logits: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        return self.squareplus(total_count).squeeze(-1), logits.squeeze(-1)

    def distribution(self, distr_args: Any, loc: Any = None, scale: Any = None) -> Distribution:
        total_count, logits = distr_args
        return self._base((total_count, logits if scale is None else logits + scale.log()))
