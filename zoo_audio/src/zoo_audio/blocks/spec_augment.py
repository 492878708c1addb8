"""SpecAugment: hiding spans of time and bands of features in training (https://arxiv.org/abs/1904.08779)."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.config import PretrainedConfig


def span_mask(
    shape: tuple[int, int],
    probability: float,
    span: int,
    *,
    at_least: int = 0,
    lengths: Tensor | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """Bool (rows, size), True in random spans that cover about `probability` of each row.

    Args:
        at_least: spans in a row, where it is long enough. lengths: (rows,), the part that may be hidden.

    Raises:
        ValueError: a span longer than a row.
    """
    rows, size = shape
    if not 1 <= span <= size:
        raise ValueError(f"spans of {span} cannot be hidden in {size} positions; set the mask length lower")
    limits = [size] * rows if lengths is None else lengths.tolist()
    mask = torch.zeros(shape, dtype=torch.bool)
    for row, limit in enumerate(limits):
        count = max(int(probability * limit / span + float(torch.rand(()))), at_least)
        count = min(count, size // span, max(limit - span + 1, 0))
        for start in torch.randperm(max(limit - span + 1, 0))[:count].tolist():
            mask[row, start : start + span] = True
    return mask.to(device)


def hide_spans(
    hidden: Tensor,
    config: PretrainedConfig,
    *,
    fill: Tensor | None,
    training: bool,
    given: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """SpecAugment of states (batch, frames, size): at `given` places, in training at random ones.

    Args:
        fill: (size,), what stands in hidden frames; hidden features are zero. mask: (batch, frames), the
            frames that hold no padding.
    """
    if not config.apply_spec_augment:
        return hidden
    if given is None and training and config.mask_time_prob > 0:
        given = span_mask(
            hidden.shape[:2],
            config.mask_time_prob,
            config.mask_time_length,
            at_least=config.mask_time_min_masks,
            lengths=None if mask is None else mask.sum(-1),
            device=hidden.device,
        )
    if given is not None and fill is not None:
        hidden = torch.where(given.bool()[..., None], fill.to(hidden.dtype), hidden)
    if training and config.mask_feature_prob > 0:
        bands = span_mask(
            (hidden.shape[0], hidden.shape[2]),
            config.mask_feature_prob,
            config.mask_feature_length,
            at_least=config.mask_feature_min_masks,
            device=hidden.device,
        )
        hidden = hidden.masked_fill(bands[:, None], 0.0)
    return hidden
