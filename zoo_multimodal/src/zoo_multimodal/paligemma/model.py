"""PaliGemma: image and prompt are seen as a whole, what follows is written token by token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.cache import Cache
from zoo_multimodal.image_text import (
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
)
from zoo_multimodal.paligemma.config import PaliGemmaConfig


class PaliGemmaPreTrainedModel(PreTrainedModel):
    """What both PaliGemma classes share."""

    config_class = PaliGemmaConfig
    base_model_prefix = "model"


class PaliGemmaProjector(nn.Module):
    """A linear map from image features to embeddings."""

    def __init__(self, width: int, projection: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, projection)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear(features)


def prefix_mask(
    attention_mask: Tensor | None, token_type_ids: Tensor | None, hidden: Tensor, past: int
) -> Tensor:
    """(batch, 1, query, keys) bool: the prefix is visible to all, the rest to what follows it.

    attention_mask: (batch, keys), 0 for padding. token_type_ids: (batch, query), 0 for the prefix; without
    them everything is prefix.
    """
    batch, length = hidden.shape[:2]
    keys = torch.arange(past + length, device=hidden.device)
    queries = keys[past:]
    allowed = (keys <= queries[:, None])[None]
    prefix = torch.ones(batch, length, device=hidden.device, dtype=torch.bool)
    if token_type_ids is not None:
        prefix = token_type_ids == 0
    seen = torch.cat((prefix.new_ones(batch, past), prefix), dim=1)
    allowed = allowed | seen[:, None]
    if attention_mask is not None:
        allowed = allowed & attention_mask[:, None, : past + length].bool()
    return allowed[:, None]


class PaliGemmaModel(PaliGemmaPreTrainedModel, ImageTextModel):
    """The model without its head."""

    def make_projector(self, config: PaliGemmaConfig) -> nn.Module:
        return PaliGemmaProjector(config.vision_config.hidden_size, config.projection_dim)

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to (images, patches, hidden).

        Divided by what the language model multiplies embeddings by.
        """
        features = self.multi_modal_projector(self.vision_tower(pixel_values).last_hidden_state)
        return features / self.config.text_config.hidden_size**0.5

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        token_type_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's; with `labels`, `token_type_ids` say what is prefix (0) and what to learn (1).

        Without them all that is given in one call is prefix.
        """
        given = inputs_embeds if input_ids is None else input_ids
        if given is not None and given.shape[1] > 1 and (attention_mask is None or attention_mask.dim() == 2):
            past = 0 if past_key_values is None else int(past_key_values.length)
            kinds = token_type_ids if labels is not None else None
            attention_mask = prefix_mask(attention_mask, kinds, given, past)
        return super().forward(
            input_ids,
            pixel_values,
            attention_mask,
            position_ids,
            past_key_values,
            inputs_embeds=inputs_embeds,
            **inputs,
        )


class PaliGemmaForConditionalGeneration(ImageTextForConditionalGeneration, PaliGemmaPreTrainedModel):
    """PaliGemma with the language model's head."""

    base_class = PaliGemmaModel
    base_reads_labels = True
