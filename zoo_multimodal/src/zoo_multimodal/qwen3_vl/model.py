"""Qwen3-VL: Qwen2-VL whose image features of several depths go to the first layers of the language model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.recording import HIDDEN_STATES, wants
from zoo_multimodal.image_text import find_placeholders, place_features
from zoo_multimodal.qwen2_vl.model import Media, QwenVLForConditionalGeneration, QwenVLModel
from zoo_multimodal.qwen2_vl.positions import Grid, videos_of_rows
from zoo_multimodal.qwen3_vl.config import Qwen3VLConfig
from zoo_multimodal.qwen3_vl.vision import Qwen3VLVisionModel


class Qwen3VLPreTrainedModel(PreTrainedModel):
    """What all Qwen3-VL classes share."""

    config_class = Qwen3VLConfig
    base_model_prefix = "model"


class DeepStackModel(QwenVLModel):
    """Such a model; a video's frames stand apart, each after the text of its time."""

    hub_names: dict[str, str] = {}
    tower_class = Qwen3VLVisionModel

    def get_image_features(  # type: ignore[override]
        self, pixel_values: Tensor, image_grid_thw: Tensor
    ) -> tuple[tuple[Tensor, ...], list[Tensor]]:
        """Features (features, hidden) of each image, and for each depth those of all (features, hidden)."""
        features, deep = self.visual(pixel_values, grid_thw=image_grid_thw)
        area = self.config.vision_config.spatial_merge_size**2
        return tuple(features.split((image_grid_thw.prod(-1) // area).tolist())), deep

    def placed(
        self, embedded: Tensor, input_ids: Tensor | None, media: Media
    ) -> tuple[Tensor, dict[str, Any]]:
        found = []
        for what, (pixels, grid) in self.given(media):
            features, deep = getattr(self, f"get_{what}_features")(pixels, grid)
            token = getattr(self.config, f"{what}_token_id")
            places = find_placeholders(input_ids, embedded, token, self.get_input_embeddings())
            found.append((what, places, torch.cat(features), deep))
        for what, places, features, _ in found:
            embedded = place_features(embedded, places, features, what=what)
        if not found:
            return embedded, {}
        where = torch.stack([places for _, places, _, _ in found]).any(0)
        added = [
            where.new_zeros(int(where.sum()), features.shape[-1], dtype=features.dtype)
            for features in found[0][3]
        ]
        for _, places, _, deep in found:
            for joint, features in zip(added, deep, strict=True):
                joint[places[where]] = features
        return embedded, {"visual_pos_masks": where, "deepstack_visual_embeds": added}

    def boxes(self, grid_thw: Tensor | None, **times: Any) -> Iterator[Grid]:
        for frames, rows, columns in super().boxes(grid_thw):
            for _ in frames:
                yield [0], rows, columns


class Qwen3VLModel(Qwen3VLPreTrainedModel, DeepStackModel):
    """The model without its head."""


class DeepStackForConditionalGeneration(QwenVLForConditionalGeneration):
    """Such a model with the language model's head."""

    base_name = None

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> Any:
        """As the base's; the last of `hidden_states` is the one before the norm."""
        if not wants(HIDDEN_STATES):
            return super().forward(input_ids, attention_mask, **inputs)
        seen: list[Tensor] = []
        norm: nn.Module = self.language_model.norm
        hook = norm.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            outputs = super().forward(input_ids, attention_mask, **inputs)
        finally:
            hook.remove()
        outputs.hidden_states = (*outputs.hidden_states[:-1], seen[-1])
        return outputs

    def media_of_rows(self, starts: list[int], grid: Tensor, what: str) -> list[int]:
        return starts if what == "image" else videos_of_rows(starts, grid)


class Qwen3VLForConditionalGeneration(DeepStackForConditionalGeneration, Qwen3VLPreTrainedModel):
    """Qwen3-VL with the language model's head."""

    base_class = Qwen3VLModel
