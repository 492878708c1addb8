"""ColQwen2: ColPali over a Qwen2-VL."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.colpali.model import ForRetrieval, RetrievalOutput
from zoo_multimodal.colqwen2.config import ColQwen2Config
from zoo_multimodal.image_text import find_placeholders, place_features


class ColQwen2PreTrainedModel(PreTrainedModel):
    """What all ColQwen2 classes share."""

    config_class = ColQwen2Config


class ColQwen2ForRetrieval(ColQwen2PreTrainedModel, ForRetrieval):
    """Qwen2-VL with embeddings."""

    hub_names = {name: name for name in ("vlm.model.language_model", "vlm.model.visual", "vlm.lm_head")}

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> RetrievalOutput:
        """The inputs of Qwen2-VL to embeddings of all tokens; `labels` change nothing.

        Images are placed first, so that all tokens have positions of text.

        Args:
            pixel_values: (images, patches, width), padded on the right, or patches of all images in a row.
        """
        model: Any = self.vlm.model
        if inputs_embeds is None:
            inputs_embeds = model.get_input_embeddings()(input_ids)
        if pixel_values is not None:
            if image_grid_thw is None:
                raise ValueError("pass image_grid_thw with the pixels; the processor returns both")
            if pixel_values.dim() == 3:
                counts = image_grid_thw.prod(-1).tolist()
                kept = [patches[:count] for patches, count in zip(pixel_values, counts, strict=True)]
                pixel_values = torch.cat(kept)
            features = torch.cat(model.get_image_features(pixel_values, image_grid_thw))
            token, table = self.config.vlm_config.image_token_id, model.get_input_embeddings()
            places = find_placeholders(input_ids, inputs_embeds, token, table)
            inputs_embeds = place_features(inputs_embeds, places, features, exact=False)
        outputs = model(inputs_embeds=inputs_embeds, attention_mask=attention_mask, **inputs)
        return self.embedded(outputs, attention_mask)
