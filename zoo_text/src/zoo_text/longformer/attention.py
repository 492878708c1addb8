"""Attention to a window of neighbours and to a few tokens that see, and are seen by, all.

See https://arxiv.org/abs/2004.05150, section 3. Time and memory grow linearly with the sequence: queries
are read in blocks of half a window, and the keys of a block are its own, the block before and the one
after.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS, GLOBAL_ATTENTIONS, record, wants


class Reach(NamedTuple):
    """What the layers of one forward need to know of its tokens.

    kept: (batch, sequence) bool, False for padding. near: those that windows show: kept, and not global.
    index: (batch, G) positions of the global tokens, G being the most that a row has; None without any.
    present: (batch, G) bool, False where a row has fewer.
    """

    kept: Tensor
    near: Tensor
    index: Tensor | None = None
    present: Tensor | None = None

    @classmethod
    def of(cls, hidden: Tensor, attention_mask: Tensor | None, global_mask: Tensor | None) -> Self:
        """From masks (batch, sequence): 0 for padding, and nonzero for global tokens.

        A 2 in attention_mask says the same as both masks together.
        """
        if attention_mask is None:
            attention_mask = hidden.new_ones(hidden.shape[:2], dtype=torch.long)
        if attention_mask.dim() != 2:
            shape = tuple(attention_mask.shape)
            raise ValueError(f"attention_mask of shape {shape}: Longformer takes (batch, sequence)")
        kept, everywhere = attention_mask > 0, attention_mask > 1
        if global_mask is not None:
            everywhere = everywhere | (kept & (global_mask > 0))
        most = int(everywhere.sum(1).max())
        if most == 0:
            return cls(kept, kept)
        present, index = everywhere.to(torch.uint8).sort(dim=1, descending=True, stable=True)
        return cls(kept, kept & ~everywhere, index[:, :most], present[:, :most].bool())


class LongformerAttention(Attention):
    """Windowed attention, with projections of its own for the tokens that see everything.

    Args:
        window: neighbours on either side that a token sees.
        multiple: recorded global weights are as long as the sequence padded to a multiple of this.
    """

    def __init__(
        self, hidden_size: int, num_heads: int, *, window: int, multiple: int, dropout: float = 0.0
    ) -> None:
        super().__init__(hidden_size, num_heads, dropout=dropout)
        self.window, self.multiple = window, multiple
        self.q_global = Linear(hidden_size, hidden_size)
        self.k_global = Linear(hidden_size, hidden_size)
        self.v_global = Linear(hidden_size, hidden_size)

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, reach: Reach, head_mask: Tensor | None = None
    ) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        attended = self.near(hidden, reach, head_mask)
        if reach.index is not None and reach.present is not None:
            found = self.everywhere(hidden, reach, head_mask)
            rows, slots = reach.present.nonzero(as_tuple=True)
            at = reach.index[rows, slots]
            # out of place: the values that it replaces have gradients
            attended = attended.transpose(1, 2).index_put((rows, at), found.transpose(1, 2)[rows, slots])
            return self.o_proj(attended.flatten(2))
        return self.merge(attended)

    def near(self, hidden: Tensor, reach: Reach, head_mask: Tensor | None) -> Tensor:
        """What tokens take from neighbours and global tokens, (batch, heads, sequence, width)."""
        query, key, value = self.heads(hidden, None)
        batch, heads, length, width = query.shape
        w = self.window
        blocks = -(-length // w)
        rest = blocks * w - length
        queries = F.pad(query, (0, 0, 0, rest)).unflatten(2, (blocks, w)).transpose(1, 2).flatten(0, 1)
        keys, values = self.windows(key, rest), self.windows(value, rest)
        seen = F.pad(reach.near, (w, w + rest)).unfold(1, 3 * w, w)  # (batch, blocks, 3 w)
        place = torch.arange(3 * w, device=hidden.device)
        distance = place - w - place[:w, None]  # of a block's queries to its keys
        allowed = (seen[:, :, None] & (distance.abs() <= w)).flatten(0, 1)[:, None]
        extra = 0
        if reach.index is not None and reach.present is not None:
            extra = reach.index.shape[1]
            at = reach.index[:, None, :, None].expand(-1, heads, -1, width)
            keys = torch.cat((key.gather(2, at).repeat_interleave(blocks, 0), keys), dim=2)
            values = torch.cat((value.gather(2, at).repeat_interleave(blocks, 0), values), dim=2)
            present = reach.present.repeat_interleave(blocks, 0)[:, None, None].expand(-1, 1, w, -1)
            allowed = torch.cat((present, allowed), dim=-1)
        attended, weights = self.weigh(queries, keys, values, Mask(allowed=allowed), head_mask=head_mask)
        attended = attended.unflatten(0, (batch, blocks)).transpose(1, 2).flatten(2, 3)[:, :, :length]
        if weights is not None and wants(ATTENTIONS):
            beside = (place[: 2 * w + 1] + place[:w, None] + extra).expand(*weights.shape[:-1], -1)
            weights = torch.cat((weights[..., :extra], weights.gather(-1, beside)), dim=-1)
            weights = weights.unflatten(0, (batch, blocks)).transpose(1, 2).flatten(2, 3)[:, :, :length]
            record(ATTENTIONS, weights.masked_fill(~reach.near[:, None, :, None], 0.0))
        return attended.masked_fill(~reach.kept[:, None, :, None], 0.0)

    def windows(self, x: Tensor, rest: int) -> Tensor:
        """(batch, heads, sequence, width) to (batch x blocks, heads, 3 w, width): what each block may see."""
        w = self.window
        return F.pad(x, (0, 0, w, w + rest)).unfold(2, 3 * w, w).permute(0, 2, 1, 4, 3).flatten(0, 1)

    def everywhere(self, hidden: Tensor, reach: Reach, head_mask: Tensor | None) -> Tensor:
        """What the global tokens take from all tokens, (batch, heads, G, width)."""
        assert reach.index is not None and reach.present is not None
        at = reach.index[..., None].expand(-1, -1, hidden.shape[-1])
        query = self.split(self.q_global(hidden.gather(1, at)))
        key, value = self.split(self.k_global(hidden)), self.split(self.v_global(hidden))
        mask = Mask(allowed=reach.kept[:, None, None])
        name = GLOBAL_ATTENTIONS
        attended, weights = self.weigh(query, key, value, mask, name=name, head_mask=head_mask)
        if weights is not None:
            weights = F.pad(weights, (0, -weights.shape[-1] % self.multiple))
            # where a row has fewer global tokens than another there is nothing to weigh: all alike
            alike = (1.0 if head_mask is None else head_mask) / weights.shape[-1]
            weights = torch.where(reach.present[:, None, :, None], weights, alike)
            record(name, weights.transpose(2, 3))
        return attended
