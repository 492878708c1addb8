"""Rotary position embeddings of several axes: time, height and width (https://arxiv.org/abs/2409.12191)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.nn.rotary import RotaryEmbedding, RotaryTables


def sections_of(config: PretrainedConfig) -> Sequence[int]:
    """The wavelengths of each axis that `rope_scaling` names.

    Raises:
        ConfigError: it names none.
    """
    scaling = config.rope_scaling or {}
    if "mrope_section" not in scaling:
        raise ConfigError(
            f"rope_scaling of {config.model_type} is {config.rope_scaling}, without mrope_section, the "
            'wavelengths of time, height and width; set for example {"rope_type": "default", '
            '"mrope_section": [8, 12, 12]}, which adds up to half of the rotated features of a head'
        )
    sections: Sequence[int] = scaling["mrope_section"]
    return sections


class MultiAxisRotary(RotaryEmbedding):
    """Each wavelength turns with the position on one axis; text has the same position on all of them.

    Positions are (axes, batch, sequence), or (sequence,) or (batch, sequence) for text; of more axes than
    there are sections the last ones count (Qwen2-VL passes the plain positions before the three axes).

    Args:
        sections: wavelengths of each axis, the shortest first; they add up to dim / 2.
        alternate: axes take turns (Qwen3-VL: 0 1 2 0 1 2 ...), as long as their section lasts, and axis 0
            takes the rest; otherwise each section is one block (Qwen2-VL, GLM-4.5V).
    """

    def __init__(self, dim: int, *, sections: Sequence[int], alternate: bool = False, **options: Any) -> None:
        super().__init__(dim, **options)
        self.axes, half = len(sections), dim // 2
        if alternate:
            turns = (i % self.axes for i in range(half))
            axis = [turn if i < sections[turn] * self.axes else 0 for i, turn in enumerate(turns)]
        else:
            axis = [number for number, size in enumerate(sections) for _ in range(size)]
        if len(axis) != half:
            raise ConfigError(
                f"mrope_section {list(sections)} adds up to {len(axis)}; it must be half of the {dim} "
                f"rotated features of a head, {half}"
            )
        self.register_buffer("axis", torch.tensor(axis), persistent=False)

    def spread(self, positions: Tensor) -> Tensor:
        if positions.dim() < 3:
            return super().spread(positions)
        return positions[-self.axes :][self.get_buffer("axis")].permute(1, 2, 0)[:, None]


class GridRotary(nn.Module):
    """Rotary embedding of places in a grid: of a head's pairs the first half turns with the row, the second
    with the column; by the same wavelengths, or, with `alternate`, by every other one each (Pixtral).

    Pairs are halves of a head, or, with `interleaved`, neighbours (Llama 4)."""

    inv_freq: Tensor

    def __init__(
        self, head_dim: int, *, theta: float = 10000.0, alternate: bool = False, interleaved: bool = False
    ) -> None:
        super().__init__()
        self.interleaved = interleaved
        width = head_dim if alternate else head_dim // 2
        inv_freq = theta ** -(torch.arange(0, width, 2, dtype=torch.float32) / width)
        both = torch.stack((inv_freq[::2], inv_freq[1::2]) if alternate else (inv_freq, inv_freq))
        self.register_buffer("inv_freq", both, persistent=False)

    def forward(self, places: Tensor) -> RotaryTables:
        """Tables for the rows and columns of patches (patches, 2)."""
        angles = (places[..., None].float() * self.inv_freq.float()).flatten(1)
        twice = angles.repeat_interleave(2, -1) if self.interleaved else torch.cat((angles, angles), dim=-1)
        tables = twice[None, None]
        return RotaryTables(tables.cos(), tables.sin(), interleaved=self.interleaved)
