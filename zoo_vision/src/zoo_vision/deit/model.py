"""DeiT: ViT with a second token that learns from a teacher."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.heads.image import (
    ForDistilledImageClassification,
    ForImageClassification,
    ForMaskedImageModeling,
)
from zoo_core.modeling.outputs import ModelOutput
from zoo_vision.deit.config import DeiTConfig
from zoo_vision.vit.model import ViTEmbeddings, ViTModel, ViTPreTrainedModel


class DeiTPreTrainedModel(ViTPreTrainedModel):
    """What all DeiT classes share."""

    config_class = DeiTConfig
    base_model_prefix = "deit"


class DeiTEmbeddings(ViTEmbeddings):
    """A class token, a distillation token and patches."""

    def make_special_tokens(self, size: int) -> None:
        super().make_special_tokens(size)
        self.distillation_token = nn.Parameter(torch.empty(1, 1, size))

    def special_tokens(self) -> list[nn.Parameter]:
        return [self.cls_token, self.distillation_token]


class DeiTModel(ViTModel, DeiTPreTrainedModel):
    """ViT's encoder over two tokens and the patches."""

    embeddings_class = DeiTEmbeddings


class DeiTForImageClassification(ForImageClassification, DeiTPreTrainedModel):
    """DeiT with a classifier on the class token, for fine-tuning without a teacher."""

    base_class = DeiTModel
    base_options = {"add_pooling_layer": False}


class DeiTForMaskedImageModeling(ForMaskedImageModeling, DeiTPreTrainedModel):
    """DeiT that reconstructs masked patches."""

    base_class = DeiTModel
    base_options: dict[str, Any] = {"add_pooling_layer": False, "use_mask_token": True}

    def patches(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state[:, 1:-1]  # as released: shifted by the distillation token


class DeiTForImageClassificationWithTeacher(ForDistilledImageClassification, DeiTPreTrainedModel):
    """DeiT with a classifier on either token; for inference only."""

    base_class = DeiTModel
    base_options = {"add_pooling_layer": False}
    head_names = {"classifier": "cls_classifier"}

    def distilled_features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state[:, 1]
