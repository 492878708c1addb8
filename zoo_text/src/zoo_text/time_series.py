"""What forecasting models share: scaling of series, and heads that give distributions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import (
    AffineTransform,
    Distribution,
    Independent,
    NegativeBinomial,
    Normal,
    StudentT,
    TransformedDistribution,
)

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model_output import ModelOutput

#: how many values one forecast of each kind takes
_PARAMETERS = {"student_t": 3, "normal": 2, "negative_binomial": 2}


class SampledSeries(ModelOutput):
    """Drawn futures (batch, samples, ...)."""

    sequences: Tensor | None = None


def rescaled(values: Tensor, observed: Tensor, scaling: str | bool | None) -> tuple[Tensor, Tensor, Tensor]:
    """Series (batch, time, ...) brought to one scale, and the `loc` and `scale` (batch, 1, ...) that undo it.

    Args:
        observed: of the same shape, 0 for values that lack.
        scaling: "std" standardises; "mean" or True divides by the mean size; else nothing is done.
    """
    observed = observed.to(values.dtype)
    if scaling == "std":
        count = observed.sum(1, keepdim=True).clamp_min(1.0)
        loc = (values * observed).sum(1, keepdim=True) / count
        variance = ((values - loc) * observed).square().sum(1, keepdim=True) / count
        scale = (variance + 1e-5).sqrt()
        return (values - loc) / scale, loc, scale
    loc = torch.zeros_like(values[:, :1])
    if scaling != "mean" and scaling is not True:
        return values, loc, torch.ones_like(loc)
    total, count = (values * observed).abs().sum(1, keepdim=True), observed.sum(1, keepdim=True)
    # a series without one value takes the scale of the others
    usual = total.sum(0) / count.sum(0).clamp_min(1.0)
    scale = torch.where(count > 0, total / count.clamp_min(1.0), usual).clamp_min(1e-10)
    return values / scale, loc, scale


def squareplus(x: Tensor) -> Tensor:
    """A smooth positive map (https://arxiv.org/abs/2112.11687)."""
    return (x + (x.square() + 4.0).sqrt()) / 2.0


class DistributionProjection(nn.Module):
    """States to the parameters of a distribution over `dim` values: one linear map for each parameter."""

    def __init__(self, kind: str, inputs: int, dim: int) -> None:
        super().__init__()
        if kind not in _PARAMETERS:
            raise ValueError(f"distribution_output={kind!r}: must be one of {', '.join(_PARAMETERS)}")
        self.kind, self.dim = kind, dim
        self.proj = nn.ModuleList(nn.Linear(inputs, dim) for _ in range(_PARAMETERS[kind]))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Parameters (..., dim) each."""
        raw = [layer(x) for layer in self.proj]
        least = torch.finfo(x.dtype).eps
        if self.kind == "student_t":
            return 2.0 + squareplus(raw[0]), raw[1], squareplus(raw[2]).clamp_min(least)
        if self.kind == "normal":
            return raw[0], squareplus(raw[1]).clamp_min(least)
        return squareplus(raw[0]), raw[1]

    def distribution(
        self, parameters: Sequence[Tensor], loc: Tensor | None = None, scale: Tensor | None = None
    ) -> Distribution:
        """The distribution of the values before they were scaled."""
        if self.kind == "negative_binomial":
            count, logits = parameters
            logits = logits if scale is None else logits + scale.log()
            return self._joint(NegativeBinomial(total_count=count, logits=logits))
        kind = StudentT if self.kind == "student_t" else Normal
        found = self._joint(kind(*parameters))
        if scale is None and loc is None:
            return found
        shift = AffineTransform(0.0 if loc is None else loc, 1.0 if scale is None else scale, self.event_dim)
        return TransformedDistribution(found, [shift])

    @property
    def event_dim(self) -> int:
        return 0 if self.dim == 1 else 1

    def _joint(self, found: Distribution) -> Distribution:
        return Independent(found, 1) if self.event_dim else found


def draw(distribution: Distribution, count: int) -> SampledSeries:
    """`count` futures of each series, (batch, count, ...)."""
    return SampledSeries(sequences=distribution.sample(torch.Size((count,))).transpose(0, 1))


def projection(config: PretrainedConfig, inputs: int, outputs: int) -> nn.Module:
    """A map to values, or with the loss "nll" to the parameters of their distribution."""
    if config.loss == "mse":
        return nn.Linear(inputs, outputs)
    return DistributionProjection(config.distribution_output, inputs, outputs)


def require_distribution(config: PretrainedConfig) -> None:
    """Raise unless the model gives distributions to draw from."""
    if config.loss == "mse":
        raise ValueError("generate draws from a distribution; this model has loss='mse', it needs loss='nll'")
