"""DINOv2 with registers: tokens of no meaning, for the model to calculate in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.modeling.outputs import ModelOutput
from zoo_vision.dinov2.model import (
    Dinov2Backbone,
    Dinov2Embeddings,
    Dinov2ForImageClassification,
    Dinov2Model,
    Dinov2PreTrainedModel,
)
from zoo_vision.dinov2_with_registers.config import Dinov2WithRegistersConfig


class Dinov2WithRegistersPreTrainedModel(Dinov2PreTrainedModel):
    """What all classes share."""

    config_class = Dinov2WithRegistersConfig
    base_model_prefix = "dinov2_with_registers"


class Dinov2WithRegistersEmbeddings(Dinov2Embeddings):
    """A class token, registers, which have no positions, and patches."""

    antialias = True

    def __init__(self, config: Dinov2WithRegistersConfig) -> None:
        super().__init__(config)
        self.register_tokens = nn.Parameter(torch.zeros(1, config.num_register_tokens, config.hidden_size))

    def forward(self, pixel_values: Tensor, *, bool_masked_pos: Tensor | None = None) -> Tensor:
        hidden = super().forward(pixel_values, bool_masked_pos=bool_masked_pos)
        registers = self.dropout(self.register_tokens.expand(len(hidden), -1, -1))
        return torch.cat((hidden[:, :1], registers, hidden[:, 1:]), dim=1)


class Dinov2WithRegistersModel(Dinov2Model, Dinov2WithRegistersPreTrainedModel):
    """Embeddings, layers and a final norm; `pooler_output` is the class token's state."""

    embeddings_class = Dinov2WithRegistersEmbeddings


class Dinov2WithRegistersForImageClassification(
    Dinov2ForImageClassification, Dinov2WithRegistersPreTrainedModel
):
    """A classifier on the class token and the mean of the patches."""

    base_class = Dinov2WithRegistersModel

    def features(self, outputs: ModelOutput) -> Tensor:
        hidden = outputs.last_hidden_state
        return torch.cat((hidden[:, 0], hidden[:, 1 + self.config.num_register_tokens :].mean(1)), dim=1)


class Dinov2WithRegistersBackbone(Dinov2Backbone, Dinov2WithRegistersPreTrainedModel):
    """The states of some layers as maps, normalised where the config says so."""

    base_class = Dinov2WithRegistersModel

    @property
    def prefix(self) -> int:  # type: ignore[override]
        return 1 + self.config.num_register_tokens
