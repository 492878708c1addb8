"""Jukebox's attention: over blocks of a sequence seen as a table, over lyrics, or over everything."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.jukebox.config import JukeboxPriorConfig
from zoo_core.checkpoint.ops import Fused, Transposed


class Dense:
    """Every position sees all before it and itself.

    A reach computes whole sequences, (batch, heads, length, head size), and names the keys that one position
    sees of those before `end`. `block` is the length of a row of the table, `prefix` that of the front.
    """

    tabular: ClassVar[bool] = False

    def __init__(self, block: int, prefix: int) -> None:
        self.block = block
        self.prefix = prefix

    def whole(self, query: Tensor, key: Tensor, value: Tensor, causal: bool, dropout: float) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value, is_causal=causal, dropout_p=dropout)

    def keys(self, position: int, end: int) -> slice:
        return slice(0, end)

    def rows(self, states: Tensor) -> Tensor:
        """(batch, heads, length, size) as (batch, heads, rows, block, size), zeros at the end."""
        missing = -states.shape[2] % self.block
        return F.pad(states, (0, 0, 0, missing)).unflatten(2, (-1, self.block))


class InFront(Dense):
    """Every position sees those of the front, where the lyrics are, that are not after it."""

    def whole(self, query: Tensor, key: Tensor, value: Tensor, causal: bool, dropout: float) -> Tensor:
        front = slice(self.prefix)
        return super().whole(query, key[:, :, front], value[:, :, front], causal, dropout)

    def keys(self, position: int, end: int) -> slice:
        return slice(0, min(end, self.prefix))


class Rows(Dense):
    """Every position sees its own row."""

    tabular = True

    def whole(self, query: Tensor, key: Tensor, value: Tensor, causal: bool, dropout: float) -> Tensor:
        found = super().whole(self.rows(query), *self._among(key, value, query), causal, dropout)
        return found.flatten(2, 3)[:, :, : query.shape[2]]

    def _among(self, key: Tensor, value: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        return self.rows(key), self.rows(value)

    def keys(self, position: int, end: int) -> slice:
        first = position - position % self.block
        return slice(first, min(end, first + self.block))


class Columns(Dense):
    """Every position sees its own column."""

    tabular = True

    def whole(self, query: Tensor, key: Tensor, value: Tensor, causal: bool, dropout: float) -> Tensor:
        columns = [self.rows(states).transpose(2, 3) for states in (query, key, value)]
        found = super().whole(columns[0], columns[1], columns[2], causal, dropout)
        return found.transpose(2, 3).flatten(2, 3)[:, :, : query.shape[2]]

    def keys(self, position: int, end: int) -> slice:
        return slice(position % self.block, end, self.block)


class PreviousRow(Rows):
    """Every position sees the row before its own; those of the first row see nothing."""

    def whole(self, query: Tensor, key: Tensor, value: Tensor, causal: bool, dropout: float) -> Tensor:
        return super().whole(query, key, value, False, dropout)

    def _among(self, key: Tensor, value: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        key, value = (F.pad(self.rows(states)[:, :, :-1], (0, 0, 0, 0, 1, 0)) for states in (key, value))
        return key, value

    def keys(self, position: int, end: int) -> slice:
        row = position // self.block
        return slice(max(row - 1, 0) * self.block, row * self.block)


class Lyrics(Dense):
    """Every position sees all states of the lyrics' encoder."""

    def whole(self, query: Tensor, key: Tensor, value: Tensor, causal: bool, dropout: float) -> Tensor:
        return super().whole(query, key, value, False, dropout)


REACHES: dict[str, type[Dense]] = {
    "dense_attn": Dense,
    "block_attn": Rows,
    "transpose_block_attn": Columns,
    "prev_block_attn": PreviousRow,
    "prime_attn": InFront,
    "cross_attention": Lyrics,
}


class Memory:
    """Keys and values of the positions so far, for each layer; `length` positions at most."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.position = 0
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of `layer` up to now, (batch, heads, positions, size)."""
        if layer not in self._kept:
            shape = (*key.shape[:2], self.length, key.shape[3])
            self._kept[layer] = key.new_empty(shape), value.new_empty(shape)
        end = self.position + key.shape[2]
        for kept, new in zip(self._kept[layer], (key, value), strict=True):
            kept[:, :, self.position : end] = new
        keys, values = self._kept[layer]
        return keys[:, :, :end], values[:, :, :end]


class JukeboxAttention(nn.Module):
    """Attention whose kind, and so its reach, is the layer's by the model's pattern."""

    def __init__(self, config: JukeboxPriorConfig, layer: int, kind: str, length: int) -> None:
        super().__init__()
        width, inner = config.hidden_size, int(config.attention_multiplier * config.hidden_size)
        prefix = (config.nb_relevant_lyric_tokens // config.blocks + 1) * config.blocks
        self.layer = layer
        self.heads = config.n_heads
        self.causal = config.mask
        self.reach = REACHES[kind](max(length // config.blocks, 1), prefix)
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, inner) for _ in range(3))
        self.o_proj = nn.Linear(inner, width)
        self.attn_dropout = config.attn_dropout
        self.resid_dropout = nn.Dropout(config.resid_dropout)
        fused = ("q_proj", "k_proj", "v_proj")
        self.hub_names = {fused: Fused(Transposed("c_attn")), "o_proj": Transposed("c_proj")}
        if kind == "cross_attention":
            self.hub_names = {
                "q_proj": Transposed("c_attn"),
                fused[1:]: Fused(Transposed("c_enc_kv")),
                "o_proj": Transposed("c_proj"),
            }

    def forward(self, hidden: Tensor, lyrics: Tensor | None, memory: Memory | None) -> Tensor:
        """Hidden states (batch, length, size); `lyrics` of the encoder; with `memory` they come after it."""
        across = isinstance(self.reach, Lyrics)
        source = hidden if lyrics is None or not across else lyrics
        query, key, value = (
            proj(states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for proj, states in ((self.q_proj, hidden), (self.k_proj, source), (self.v_proj, source))
        )
        if memory is not None and not across:
            key, value = memory.extend(self.layer, key, value)
        dropout = self.attn_dropout if self.training else 0.0
        begun = 0 if memory is None else memory.position
        if across or memory is None or (begun == 0 and query.shape[2] > 1):
            found = self.reach.whole(query, key, value, self.causal, dropout)
        else:
            found = self._seen(query, key, value, begun)
        return self.resid_dropout(self.o_proj(found.transpose(1, 2).flatten(2)))

    def _seen(self, query: Tensor, key: Tensor, value: Tensor, begun: int) -> Tensor:
        """Answers of the positions from `begun` on, one by one, of all keys up to now."""
        known, count = key.shape[2], query.shape[2]
        if count == 1:
            seen = self.reach.keys(begun, known)
            return F.scaled_dot_product_attention(query, key[:, :, seen], value[:, :, seen])
        if self.reach.tabular and not self.causal:  # the cells that are still empty count, as in `rows`
            key, value = (F.pad(states, (0, 0, 0, -known % self.reach.block)) for states in (key, value))
        mask = torch.zeros(count, key.shape[2], dtype=torch.bool)
        for row, position in enumerate(range(begun, known)):
            mask[row, self.reach.keys(position, position + 1 if self.causal else key.shape[2])] = True
        mask = mask.to(query.device)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return found.masked_fill(~mask.any(-1, keepdim=True), 0.0)
