"""Aya Vision: neighbouring image features joined and gated, in the text of a Cohere 2."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.norm import NormFactory
from zoo_multimodal.aya_vision.config import AyaVisionConfig
from zoo_multimodal.idefics3.model import joined_squares
from zoo_multimodal.image_text import ImageTextForConditionalGeneration
from zoo_multimodal.llava.model import LlavaModel


class AyaVisionPreTrainedModel(PreTrainedModel):
    """What all Aya Vision classes share."""

    config_class = AyaVisionConfig
    base_model_prefix = "model"


class GatedProjector(nn.Module):
    """Squares of features as one, normalised where there is a norm, through a gated block."""

    def __init__(self, config: Any, *, norm: NormFactory | None) -> None:
        super().__init__()
        self.side, hidden_size = config.downsample_factor, config.text_config.hidden_size
        width = config.vision_config.hidden_size * self.side**2
        inner = getattr(config, "alignment_intermediate_size", None) or hidden_size
        self.layernorm = None if norm is None else norm(width)
        self.linear_1 = nn.Linear(width, inner)
        self.linear_2 = nn.Linear(inner // 2, hidden_size)

    def forward(self, features: Tensor) -> Tensor:
        """(images, patches, width) to (images, rows, columns, hidden)."""
        joined = joined_squares(features, self.side)
        joined = joined if self.layernorm is None else self.layernorm(joined)
        value, gate = self.linear_1(joined).chunk(2, dim=-1)
        return self.linear_2(F.silu(gate) * value)


class AyaVisionModel(AyaVisionPreTrainedModel, LlavaModel):
    """The model without its head."""

    flat_image_states = False

    def make_projector(self, config: AyaVisionConfig) -> nn.Module:  # type: ignore[override]
        return GatedProjector(config, norm=partial(nn.LayerNorm, eps=config.adapter_layer_norm_eps))


class AyaVisionForConditionalGeneration(ImageTextForConditionalGeneration, AyaVisionPreTrainedModel):
    """Aya Vision with the language model's head."""

    base_class = AyaVisionModel
