"""GLM-4.1V: images and videos at their own resolution; a video is a sequence of images in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.glm4v.config import Glm4vConfig
from zoo_multimodal.glm4v.vision import Glm4vVisionModel
from zoo_multimodal.qwen2_vl.model import Media, QwenVLForConditionalGeneration, QwenVLModel
from zoo_multimodal.qwen2_vl.positions import Grid, videos_of_rows


def told_apart(config: Any, input_ids: Tensor) -> Tensor:
    """Ids (batch, sequence) in which what a video holds are placeholders of videos, not of images.

    It is what stands between the tokens that begin and end a video.
    """
    begun = (input_ids == config.video_start_token_id).cumsum(-1)
    ended = (input_ids == config.video_end_token_id).cumsum(-1)
    within = (begun > ended) & (input_ids == config.image_token_id)
    return input_ids.masked_fill(within, config.video_token_id)


class Glm4vPreTrainedModel(PreTrainedModel):
    """What all GLM-4.1V classes share."""

    config_class = Glm4vConfig
    base_model_prefix = "model"


class FramesModel(QwenVLModel):
    """Such a model; each frame of a video stands in the text as an image."""

    hub_names: dict[str, str] = {}
    tower_class = Glm4vVisionModel

    def placed(
        self, embedded: Tensor, input_ids: Tensor | None, media: Media
    ) -> tuple[Tensor, dict[str, Any]]:
        return super().placed(
            embedded, None if input_ids is None else told_apart(self.config, input_ids), media
        )

    def get_rope_index(
        self,
        input_ids: Tensor,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **times: Any,
    ) -> tuple[Tensor, Tensor]:
        ids = told_apart(self.config, input_ids)
        return super().get_rope_index(ids, image_grid_thw, video_grid_thw, attention_mask)

    def boxes(self, grid_thw: Tensor | None, **times: Any) -> Iterator[Grid]:
        for frames, rows, columns in super().boxes(grid_thw):
            for _ in frames:
                yield [0], rows, columns


class FramesForConditionalGeneration(QwenVLForConditionalGeneration):
    """Such a model with the language model's head."""

    base_name = None

    def media_of_rows(self, starts: list[int], grid: Tensor, what: str) -> list[int]:
        return starts if what == "image" else videos_of_rows(starts, grid)

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        return super().repeat_inputs(inputs, times, input_ids=told_apart(self.config, input_ids))


class Glm4vModel(Glm4vPreTrainedModel, FramesModel):
    """The model without its head."""


class Glm4vForConditionalGeneration(FramesForConditionalGeneration, Glm4vPreTrainedModel):
    """GLM-4.1V with the language model's head."""

    base_class = Glm4vModel
