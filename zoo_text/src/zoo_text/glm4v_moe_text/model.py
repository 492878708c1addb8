"""GLM-4.5V's language model: GLM-4.5 with positions in time, height and width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import ConfigError
from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding, RotaryTables
from zoo_core.nn.rotary_multi import sections_of
from zoo_text.glm4_moe.model import Glm4MoeDecoder
from zoo_text.glm4v_moe_text.config import Glm4vMoeTextConfig


class RunningAxisRotary(RotaryEmbedding):
    """Blocks of a head's rotated features take the axes time, height and width in turn.

    `sections` says how wide the blocks are in the first half, and the second half goes on where the first
    ended: with three sections both halves turn alike, as usual; with another number they do not.
    """

    def __init__(self, dim: int, *, sections: Sequence[int], **options: Any) -> None:
        super().__init__(dim, **options)
        if sum(sections) * 2 != dim:
            raise ConfigError(
                f"mrope_section {list(sections)} adds up to {sum(sections)}; it must be half of the {dim} "
                f"rotated features of a head, {dim // 2}"
            )
        self.blocks = [*sections, *sections]

    def forward(self, positions: Tensor, *, dtype: torch.dtype, length: int = 0) -> RotaryTables:
        if positions.dim() < 3:
            return super().forward(positions, dtype=dtype, length=length)
        axes = [RotaryEmbedding.forward(self, one, dtype=dtype, length=length) for one in positions[-3:]]
        parts = [(one.cos.split(self.blocks, -1), one.sin.split(self.blocks, -1)) for one in axes]
        turns = [(parts[i % 3][0][i], parts[i % 3][1][i]) for i in range(len(self.blocks))]
        cos, sin = (torch.cat(tables, dim=-1) for tables in zip(*turns, strict=True))
        return RotaryTables(cos, sin)


class Glm4vMoeTextPreTrainedModel(PreTrainedModel):
    """What all classes of GLM-4.5V's language model share."""

    config_class = Glm4vMoeTextConfig
    base_model_prefix = "model"


class Glm4vMoeTextModel(Glm4vMoeTextPreTrainedModel, Glm4MoeDecoder):
    """The decoder without a head; positions are (3, batch, sequence) where images are among the tokens."""

    def make_rotary(self, config: Glm4vMoeTextConfig) -> dict[str, RotaryEmbedding]:
        sections = sections_of(config)
        return {"full": rotary_of(config, kind=RunningAxisRotary, sections=sections)}
