"""Gemma 3: averaged image features in a text, whose tokens see all of their own image."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.errors import ConfigError
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.norm import RMSNorm
from zoo_multimodal.gemma3.config import Gemma3Config
from zoo_multimodal.image_text import (
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
)


class Gemma3PreTrainedModel(PreTrainedModel):
    """What all Gemma 3 classes share."""

    config_class = Gemma3Config
    base_model_prefix = "model"


class AveragingProjector(nn.Module):
    """Image features averaged over squares, normalised and mapped to the language model's width."""

    hub_names = {"norm": "mm_soft_emb_norm", "weight": "mm_input_projection_weight"}

    def __init__(self, config: Gemma3Config) -> None:
        super().__init__()
        vision = config.vision_config
        self.weight = nn.Parameter(torch.zeros(vision.hidden_size, config.text_config.hidden_size))
        self.norm = RMSNorm(
            vision.hidden_size, eps=vision.layer_norm_eps, unit_offset=True, scale_in_float32=True
        )
        self.patches = vision.image_size // vision.patch_size
        self.side = self.patches // int(config.mm_tokens_per_image**0.5)
        if self.side < 1:
            raise ConfigError(
                f"mm_tokens_per_image={config.mm_tokens_per_image} is more than an image has patches, "
                f"{self.patches}x{self.patches}"
            )

    def forward(self, features: Tensor) -> Tensor:
        """(images, patches, width) to (images, features, hidden)."""
        image = features.transpose(1, 2).unflatten(2, (self.patches, self.patches))
        averaged = F.avg_pool2d(image, self.side).flatten(2).transpose(1, 2)
        return self.norm(averaged) @ self.weight


def images_of(token_type_ids: Tensor) -> Tensor:
    """(batch, sequence) number of the run of ones that each token is in, -1 for others."""
    inside = token_type_ids == 1
    starts = inside & ~F.pad(inside, (1, -1))
    return (starts.long().cumsum(1) - 1).masked_fill(~inside, -1)


class Gemma3Model(Gemma3PreTrainedModel, ImageTextModel):
    """The model without its head."""

    def make_projector(self, config: Gemma3Config) -> nn.Module:
        return AveragingProjector(config)

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to (images, features, hidden)."""
        return self.multi_modal_projector(self.vision_tower(pixel_values).last_hidden_state)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        token_type_ids: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's; `token_type_ids` (batch, sequence) are 1 for images, whose tokens see each other."""
        if token_type_ids is not None and token_type_ids.shape[1] > 1:
            inputs["blocks"] = images_of(token_type_ids)
        return super().forward(input_ids, pixel_values, attention_mask, **inputs)


class Gemma3ForConditionalGeneration(ImageTextForConditionalGeneration, Gemma3PreTrainedModel):
    """Gemma 3 with the language model's head."""

    base_class = Gemma3Model
    mask_hides_labels = True


class Gemma3ForSequenceClassification(ForLastTokenClassification, Gemma3PreTrainedModel):
    """Gemma 3 with a classifier on the last token."""

    base_class = Gemma3Model
    base_name = ""
