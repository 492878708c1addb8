"""Patches of time series (https://arxiv.org/abs/2211.14730): cutting, masking, places and norms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig


def patch_count(config: PretrainedConfig) -> int:
    """How many patches `context_length` values give."""
    length, patch = config.context_length, config.patch_length
    return (max(length, patch) - patch) // config.patch_stride + 1


def cut(series: Tensor, config: PretrainedConfig) -> Tensor:
    """(batch, time, channels) to (batch, channels, patches, patch_length), the last of the series whole.

    Raises:
        ValueError: the series has another length than `context_length`.
    """
    length, patch, stride = series.shape[1], config.patch_length, config.patch_stride
    if length != config.context_length:
        raise ValueError(f"series of {length} values: the model reads context_length={config.context_length}")
    used = patch + stride * (patch_count(config) - 1)
    return series[:, length - used :].unfold(1, patch, stride).transpose(1, 2)


def masked(patches: Tensor, config: PretrainedConfig) -> tuple[Tensor, Tensor]:
    """Patches (batch, channels, patches, length) with some hidden, and which (batch, channels, patches)."""
    if config.mask_type == "random":
        mask = _random_mask(patches, config)
    else:
        mask = _last_mask(patches, config.num_forecast_mask_patches)
    if config.unmasked_channel_indices is not None:
        mask[:, config.unmasked_channel_indices] = False
    return patches.masked_fill(mask[..., None], config.mask_value), mask


def _random_mask(patches: Tensor, config: PretrainedConfig) -> Tensor:
    batch, channels, count, _ = patches.shape
    drawn = 1 if config.channel_consistent_masking else channels
    noise = torch.rand(batch, drawn, count, device=patches.device)
    kept = int(count * (1 - config.random_mask_ratio))
    return (noise.argsort(-1).argsort(-1) >= kept).repeat(1, channels // drawn, 1)


def _last_mask(patches: Tensor, lengths: Sequence[int] | int) -> Tensor:
    """Hides the last patches, as many as `lengths` say, each of which serves an equal share of the batch."""
    lengths = [lengths] if isinstance(lengths, int) else lengths
    batch, channels, count, _ = patches.shape
    shares = torch.arange(batch, device=patches.device) * len(lengths) // batch
    hidden = torch.tensor(lengths, device=patches.device)[shares][
        torch.randperm(batch, device=patches.device)
    ]
    mask = torch.arange(count, device=patches.device) >= count - hidden[:, None]
    return mask[:, None].repeat(1, channels, 1)


def patch_positions(kind: str, count: int, size: int) -> nn.Parameter:
    """Places of patches (count, size): "random", which are learned, or "sincos", which are not."""
    if kind == "random":
        return nn.Parameter(torch.randn(count, size) * 0.1)
    if kind != "sincos":
        raise ValueError(f"positional_encoding_type={kind!r}: must be 'random' or 'sincos'")
    rates = torch.exp(torch.arange(0, size, 2) * -(math.log(10000.0) / size))
    angles = torch.arange(count)[:, None] * rates
    table = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)[:, :size]
    table = table - table.mean()
    return nn.Parameter(table / (table.std() * 10), requires_grad=False)


class FeatureBatchNorm(nn.Module):
    """Batch normalisation of the features (..., size) over all other dimensions."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.batchnorm = nn.BatchNorm1d(size, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.batchnorm(x.flatten(0, -2)).view(x.shape)


def series_norm(kind: str, size: int, *, eps: float) -> nn.Module:
    """The norm that a config names: "batchnorm" in any spelling of its case, or "layernorm"."""
    if "batch" in kind.lower():
        return FeatureBatchNorm(size, eps)
    if kind.lower() != "layernorm":
        raise ValueError(f"{kind!r} is no norm; use 'batchnorm' or 'layernorm'")
    return nn.LayerNorm(size, eps=eps)
