"""Rotary position embeddings of several axes: time, height and width (https://arxiv.org/abs/2409.12191)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.nn.rotary import RotaryEmbedding


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
