"""How BLT cuts bytes into patches and hashes groups of bytes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical

PRIMES = (
    1000000007,
    5915587277,
    1500450271,
    3267000013,
    5754853343,
    4093082899,
    9576890767,
    3628273133,
    2860486313,
    5463458053,
    3367900313,
)


def group_hashes(input_ids: Tensor, size: int, prime: int, buckets: int) -> Tensor:
    """(batch, sequence) to the bucket of each byte and the size - 1 before it, a rolling polynomial hash."""
    powers = torch.tensor(prime, device=input_ids.device) ** torch.arange(size, device=input_ids.device)
    groups = F.pad(input_ids, (size - 1, 0)).unfold(1, size, 1)
    return (groups * powers).sum(-1) % buckets  # overflow is part of the hash


def entropies(logits: Tensor) -> Tensor:
    """(..., vocabulary) to (...), in nats."""
    return Categorical(logits=logits, validate_args=False).entropy()


def patch_starts(
    surprise: Tensor | None, positions: Tensor, *, threshold: float | None, longest: int | None
) -> Tensor:
    """Where patches begin, (batch, sequence + 1) bool: also whether the byte to come begins one.

    Args:
        surprise: (batch, sequence) entropy of the byte after each; None makes each byte a patch.
        positions: (batch, sequence) of bytes in their row, negative for padding before it.
        threshold: a byte expected with more entropy begins a patch; the first two always do.
        longest: patches are cut after this many bytes.
    """
    at = torch.cat((positions, positions[:, -1:] + 1), dim=1)
    if surprise is None or threshold is None:
        return at >= 0
    starts = F.pad(surprise > threshold, (1, 0)) & (at > 1) | (at == 0) | (at == 1)
    if longest is not None:
        begun = torch.where(starts, at, 0).cummax(1).values
        starts |= ((at - begun) % longest == 0) & (at >= 0)
    return starts


def patch_maxima(hidden: Tensor, patch_ids: Tensor, patches: int) -> Tensor:
    """(batch, sequence, hidden) to (batch, patches, hidden): the maxima in each patch, 0 in an empty one."""
    index = patch_ids.clamp(min=0)[..., None].expand_as(hidden)
    hidden = hidden.masked_fill(patch_ids[..., None] < 0, -torch.inf)
    pooled = hidden.new_full((hidden.shape[0], patches, hidden.shape[2]), -torch.inf)
    pooled = pooled.scatter_reduce(1, index, hidden, "amax")
    return pooled.masked_fill(pooled.isinf(), 0.0)
