"""MM Grounding DINO: Grounding DINO whose scores are scaled and have a bias."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_multimodal.grounding_dino import model as grounding
from zoo_multimodal.mm_grounding_dino.config import MMGroundingDinoConfig


class BiasedTokenScores(grounding.TokenScores):
    """How well tokens fit states: scaled dot products, and a bias; few tokens fit before training."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.bias = nn.Parameter(torch.empty(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.bias, -math.log(99))  # one in a hundred

    def compare(self, states: Tensor, text: Tensor) -> Tensor:
        return super().compare(states, text) / math.sqrt(states.shape[-1]) + self.bias


class MMGroundingDinoPreTrainedModel(grounding.GroundingDinoPreTrainedModel):
    """What all MM Grounding DINO classes share."""

    config_class = MMGroundingDinoConfig


class MMGroundingDinoModel(MMGroundingDinoPreTrainedModel, grounding.GroundingDinoModel):
    """Image backbone, text model, encoder of both, and decoder."""

    config_class = MMGroundingDinoConfig
    scores_class = BiasedTokenScores


class MMGroundingDinoForObjectDetection(
    MMGroundingDinoPreTrainedModel, grounding.GroundingDinoForObjectDetection
):
    """MM Grounding DINO with each query's box and how well it fits each token of the prompt."""

    config_class = MMGroundingDinoConfig
    model_class = MMGroundingDinoModel
