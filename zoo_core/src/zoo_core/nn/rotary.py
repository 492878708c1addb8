"""Rotary position embeddings (https://arxiv.org/abs/2104.09864)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.nn.rope_scaling import Frequencies, frequencies

#: positions whose tables are made at once when tokens come one by one
_BLOCK = 64


class RotaryTables:
    """Cosines and sines of one forward; calling it rotates (batch, heads, sequence, head_dim).

    cos, sin: (batch or 1, 1, sequence, rotated width), float32 or the model's dtype. Only the first
    `rotated width` features of a head are rotated; pairs are (i, i + width / 2), or neighbours with
    `interleaved`.
    """

    def __init__(self, cos: Tensor, sin: Tensor, *, interleaved: bool = False) -> None:
        self.cos, self.sin, self.interleaved = cos, sin, interleaved
        self.width = cos.shape[-1]
        if not interleaved:  # (-b, a) of halves (a, b) is (b, a) with this sign
            half = self.width // 2
            self.signed_sin = torch.cat((-sin[..., :half], sin[..., half:]), dim=-1)

    def at(self, index: int) -> RotaryTables:
        """The tables of position number `index` alone."""
        chosen = copy.copy(self)
        for name, table in vars(self).items():
            if isinstance(table, Tensor):
                setattr(chosen, name, table.narrow(2, index, 1))
        return chosen

    def __call__(self, x: Tensor) -> Tensor:
        width = self.width
        if width < x.shape[-1]:
            return torch.cat((self._rotate(x[..., :width]), x[..., width:]), dim=-1)
        return self._rotate(x)

    def _rotate(self, x: Tensor) -> Tensor:
        if self.interleaved:
            first, second = x[..., ::2], x[..., 1::2]
            turned = torch.stack((-second, first), dim=-1).flatten(-2) * self.sin
        else:
            turned = x.roll(self.width // 2, dims=-1) * self.signed_sin
        rotated = x * self.cos + turned
        return rotated if rotated.dtype is x.dtype else rotated.to(x.dtype)


class RotaryEmbedding(nn.Module):
    """Makes the `RotaryTables` of a forward.

    Args:
        dim: rotated features of a head, even.
        theta: base of the geometric series of wavelengths.
        scaling: the `rope_scaling` entry of config.json, see `zoo_core.nn.rope_scaling`.
        max_positions: positions of the pre-training context (`max_position_embeddings`).
        interleaved: rotate neighbouring features (GPT-J) instead of halves (Llama).
        float32: rotate in float32, whatever the model's dtype is (ERNIE 4.5, DeepSeek-V2).
    """

    inv_freq: Tensor

    def __init__(
        self,
        dim: int,
        *,
        theta: float = 10000.0,
        scaling: Mapping[str, Any] | None = None,
        max_positions: int = 2048,
        interleaved: bool = False,
        float32: bool = False,
    ) -> None:
        super().__init__()
        self.interleaved, self.float32 = interleaved, float32
        self.frequencies: Frequencies = frequencies(dim, theta, scaling, max_positions)
        self.attention_factor = self.frequencies.attention_factor
        self._block: tuple[tuple[int, torch.dtype, torch.device], RotaryTables] | None = None
        self.register_buffer("inv_freq", self.frequencies.at(0), persistent=False)

    @property
    def can_keep(self) -> bool:
        """Whether `following` may be used: tables do not change with the length, no graph is compiled."""
        return not (self.frequencies.depends_on_length or torch.compiler.is_compiling())

    def following(self, past: int, *, dtype: torch.dtype, device: torch.device) -> RotaryTables:
        """As forward for the one position that follows `past` others; tables are made in blocks and kept."""
        wanted = (past // _BLOCK, dtype, device)
        block = self._block
        if block is None or block[0] != wanted:
            first = wanted[0] * _BLOCK
            with torch.inference_mode(False):  # what is kept must serve training too
                positions = torch.arange(first, first + _BLOCK, device=device)
                block = (wanted, self(positions, dtype=dtype))
            self._block = block
        return block[1].at(past % _BLOCK)

    def spread(self, positions: Tensor) -> Tensor:
        """The position of each pair of features, (batch or 1, 1, sequence, 1 or dim / 2)."""
        return (positions[None] if positions.dim() == 1 else positions)[:, None, :, None]

    @torch.no_grad()
    def forward(self, positions: Tensor, *, dtype: torch.dtype, length: int = 0) -> RotaryTables:
        """Tables for `positions` (sequence,) or (batch, sequence) in `dtype`.

        `length`, keys in all, matters to the scaling types that change with it (dynamic, longrope).
        """
        inv_freq = self.inv_freq
        if self.frequencies.depends_on_length:
            inv_freq = self.frequencies.at(length).to(positions.device)
        angles = self.spread(positions).float() * inv_freq.float()
        if self.interleaved:
            angles = angles.repeat_interleave(2, dim=-1)
        else:
            angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos(), angles.sin()
        if self.attention_factor != 1.0:
            cos, sin = cos * self.attention_factor, sin * self.attention_factor
        dtype = torch.float32 if self.float32 else dtype
        return RotaryTables(cos.to(dtype), sin.to(dtype), interleaved=self.interleaved)


class StoredRotary(RotaryEmbedding):
    """A rotary embedding whose wavelengths checkpoints store, as `inv_freq` (CLVP)."""

    def __init__(self, dim: int, **options: Any) -> None:
        super().__init__(dim, **options)
        self.register_buffer("inv_freq", self.inv_freq, persistent=True)
