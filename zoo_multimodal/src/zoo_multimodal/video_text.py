"""Language models that read images and videos, whose features take the place of two placeholder tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from zoo_multimodal.image_text import (
    ImageTextCausalLMOutput,
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
    find_placeholders,
    flattened,
    place_features,
    repeated_rows,
)


class VideoTextModelOutput(ImageTextModelOutput):
    """As of images; `video_hidden_states` are the projected features of the videos."""

    video_hidden_states: Tensor | tuple[Tensor, ...] | None = None


class VideoTextCausalLMOutput(ImageTextCausalLMOutput):
    """As of images; `video_hidden_states` are the projected features of the videos."""

    video_hidden_states: Tensor | tuple[Tensor, ...] | None = None


class VideoTextModel(ImageTextModel):
    """A model of images and text that reads videos too."""

    output_class = VideoTextModelOutput
    #: whether the returned `video_hidden_states` are (features of all videos, hidden)
    flat_video_states = False

    def media_tokens(self) -> Sequence[int]:
        return (*super().media_tokens(), self.config.video_token_id)

    def get_video_features(self, pixel_values_videos: Tensor, **options: Any) -> Tensor:
        """Projected features (..., features, hidden) of videos (videos, frames, channels, height, width)."""
        raise NotImplementedError

    def video_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `get_video_features` needs besides the pixels, from the options of images."""
        return {name: value for name, value in options.items() if name.startswith("vision_feature")}

    def place_further(
        self, embedded: Tensor, input_ids: Tensor | None, inputs: dict[str, Any], options: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        pixels, features = inputs.pop("pixel_values_videos", None), inputs.pop("video_features", None)
        if pixels is not None:
            features = self.get_video_features(pixels, **self.video_options(options))
            features = flattened(features) if self.flat_video_states else features
        if features is not None:
            places = self.video_places(input_ids, embedded)
            embedded = place_features(embedded, places, flattened(features), what="video")
        return embedded, {"video_hidden_states": features}

    def video_places(self, input_ids: Tensor | None, embedded: Tensor) -> Tensor:
        """(batch, sequence) bool: where the placeholders of videos are."""
        return find_placeholders(input_ids, embedded, self.config.video_token_id, self.get_input_embeddings())


class VideoTextForConditionalGeneration(ImageTextForConditionalGeneration):
    """Such a model with the language model's head."""

    output_class = VideoTextCausalLMOutput

    def get_video_features(self, pixel_values_videos: Tensor, **options: Any) -> Tensor:
        """Projected features of videos, see the base model."""
        model: Any = self.model
        features: Tensor = model.get_video_features(pixel_values_videos, **options)
        return features

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times, with the features of all its images and videos."""
        model: Any = self.model
        inputs, repeated = dict(inputs), {}
        pixels = inputs.pop("pixel_values_videos", None)
        if pixels is not None and input_ids.shape[1]:
            options = model.video_options(model.image_options(dict(inputs)))
            features = model.get_video_features(pixels, **options)
            places = model.video_places(input_ids, flattened(features))
            repeated["video_features"] = repeated_rows(features, places, times)
        return {**super().repeat_inputs(inputs, times, input_ids=input_ids), **repeated}
