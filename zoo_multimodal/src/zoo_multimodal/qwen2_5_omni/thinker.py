"""The thinker of Qwen2.5-Omni: a Qwen2.5-VL that hears too, with positions that tell time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.image_text import find_placeholders, place_features
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniTextConfig, Qwen2_5OmniThinkerConfig
from zoo_multimodal.qwen2_5_omni.positions import Box, aligned_positions, boxes
from zoo_multimodal.qwen2_5_omni.towers import PieceEncoder, Qwen2_5OmniAudioEncoder, Qwen2_5OmniVisionEncoder
from zoo_multimodal.qwen2_vl.model import Media, QwenVLForConditionalGeneration, QwenVLModel
from zoo_multimodal.qwen2_vl.positions import text_positions
from zoo_text.qwen2_vl_text.model import Qwen2VLTextModel


class Qwen2_5OmniThinkerTextModel(Qwen2VLTextModel):
    """The thinker's language model without its head."""

    config_class = Qwen2_5OmniTextConfig


class TimeAligned:
    """Positions that tell time, for a model whose `config` names the marks in its texts."""

    #: frames are whole positions apart, and the marks of a video with sound share theirs
    whole_positions: ClassVar[bool] = True
    config: Any

    def merge_size(self) -> int:
        """Patches that a feature is high and wide."""
        return int(self.config.vision_config.spatial_merge_size)

    def get_rope_index(
        self,
        input_ids: Tensor,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_audio_in_video: bool | None = None,
        audio_seqlens: Tensor | None = None,
        second_per_grids: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Positions (3, batch, sequence) and deltas (batch, 1); see `aligned_positions`.

        Args:
            second_per_grids: (videos,) seconds between two frames of a grid, by default 1.
            use_audio_in_video, audio_seqlens: taken for their callers; the ids tell.
        """
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        if image_grid_thw is None and video_grid_thw is None:
            return text_positions(mask)
        media = {
            self.config.image_token_id: self.boxes_of(image_grid_thw, None),
            self.config.video_token_id: self.boxes_of(video_grid_thw, second_per_grids),
        }
        dtype = torch.int64 if self.whole_positions else torch.float32
        return aligned_positions(
            input_ids, mask, media, self.config, dtype=dtype, joint_marks=self.whole_positions
        )

    def boxes_of(self, grid_thw: Tensor | None, seconds: Any) -> Iterator[Box]:
        """The boxes of images or videos, whose frames are so many `seconds` apart."""
        rate = self.config.position_id_per_seconds

        def times() -> Iterator[Tensor]:
            for i, (frames, _, _) in enumerate([] if grid_thw is None else grid_thw.tolist()):
                apart = 1.0 if seconds is None else float(seconds[i])
                found = torch.arange(frames) * apart * rate
                yield found.long() if self.whole_positions else found.float()

        return boxes(grid_thw, self.merge_size(), times())


class HearingModel(TimeAligned, QwenVLModel):
    """Such a model with an encoder of sound, without the head."""

    ear_class: ClassVar[type[PieceEncoder]]

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.audio_tower = self.ear_class(config.audio_config)
        self.post_init()

    def sound_lengths(
        self, input_features: Tensor, mask: Tensor | None = None, lengths: Tensor | None = None
    ) -> Tensor:
        """Mel frames (sounds,) of each sound (sounds, mels, frames)."""
        if mask is not None:
            return mask.sum(-1)
        if lengths is not None:
            return lengths
        return torch.full((len(input_features),), input_features.shape[-1], device=input_features.device)

    def get_audio_features(
        self,
        input_features: Tensor,
        feature_attention_mask: Tensor | None = None,
        audio_feature_lengths: Tensor | None = None,
    ) -> Tensor:
        """Features (features of all sounds, hidden) of mel frames (sounds, mels, frames).

        Args:
            feature_attention_mask: (sounds, frames), 0 for padding. audio_feature_lengths: (sounds,), where
                there is no mask.
        """
        lengths = self.sound_lengths(input_features, feature_attention_mask, audio_feature_lengths)
        if feature_attention_mask is not None:
            shown = feature_attention_mask.bool()
        else:
            shown = torch.arange(input_features.shape[-1], device=lengths.device) < lengths[:, None]
        packed = input_features.transpose(1, 2)[shown].t()
        features: Tensor = self.audio_tower(packed, feature_lens=lengths).last_hidden_state
        return features

    def further_media(self, inputs: dict[str, Any]) -> Media:
        sounds = inputs.pop("input_features", None)
        mask = inputs.pop("feature_attention_mask", None)
        lengths = inputs.pop("audio_feature_lengths", None)
        if sounds is None:
            return {}
        return {"audio": (self.get_audio_features(sounds, mask, lengths), None)}

    def placed(
        self, embedded: Tensor, input_ids: Tensor | None, media: Media
    ) -> tuple[Tensor, dict[str, Any]]:
        others = dict(media)
        heard, _ = others.pop("audio", (None, None))
        if heard is not None:
            token, table = self.config.audio_token_id, self.get_input_embeddings()
            places = find_placeholders(input_ids, embedded, token, table)
            embedded = place_features(embedded, places, heard, what="audio")
        return super().placed(embedded, input_ids, others)

    def get_rope_index(self, *args: Any, second_per_grid_ts: Any = None, **options: Any) -> Any:
        """As the base's; `second_per_grid_ts` is another name of `second_per_grids`."""
        if second_per_grid_ts is not None:
            options["second_per_grids"] = second_per_grid_ts
        return TimeAligned.get_rope_index(self, *args, **options)


class HearingForConditionalGeneration(QwenVLForConditionalGeneration):
    """Such a model with the language model's head."""

    base_model_prefix = "thinker"
    base_name = ""
    head_names: ClassVar[dict[str, str]] = {}
    #: files of the whole hold other parts too
    ignored_names = ("talker.*", "token2wav.*", "code2wav.*")

    @property
    def audio_tower(self) -> nn.Module:
        """The encoder of sound."""
        tower: nn.Module = self.model.audio_tower
        return tower

    def get_audio_features(self, input_features: Tensor, *args: Any, **options: Any) -> Tensor:
        """Features of sounds, see the base model."""
        features: Tensor = self.model.get_audio_features(input_features, *args, **options)
        return features

    def get_rope_index(self, *args: Any, **options: Any) -> tuple[Tensor, Tensor]:
        """Positions, see the base model."""
        found: tuple[Tensor, Tensor] = self.model.get_rope_index(*args, **options)
        return found

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        attention_mask: Tensor | None = None,
        feature_attention_mask: Tensor | None = None,
        audio_feature_lengths: Tensor | None = None,
        *,
        use_audio_in_video: bool | None = None,
        video_second_per_grid: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """Text (batch, sequence) with placeholders and all that they stand for, to scores of the next token.

        Args:
            input_features: (sounds, mels, frames); `feature_attention_mask` (sounds, frames) is 0 for
                padding, or `audio_feature_lengths` (sounds,) counts the frames.
            use_audio_in_video: whether sounds belong to videos, which the ids tell too.
            video_second_per_grid: (videos,) seconds between two frames of a grid.
            **inputs: images, videos and the rest as of Qwen2-VL.
        """
        return super().forward(
            input_ids,
            attention_mask,
            input_features=input_features,
            feature_attention_mask=feature_attention_mask,
            audio_feature_lengths=audio_feature_lengths,
            pixel_values=pixel_values,
            pixel_values_videos=pixel_values_videos,
            image_grid_thw=image_grid_thw,
            video_grid_thw=video_grid_thw,
            second_per_grid_ts=video_second_per_grid,
            **inputs,
        )

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times, with all of its images, videos and sounds."""
        inputs = dict(inputs)
        names = ("input_features", "feature_attention_mask", "audio_feature_lengths")
        sounds = {name: inputs.pop(name) for name in names if inputs.get(name) is not None}
        repeated: dict[str, Any] = {}
        if "input_features" in sounds:
            lengths = self.audio_tower.lengths_of(self.model.sound_lengths(*(sounds.get(n) for n in names)))
            ends = (input_ids == self.config.audio_token_id).sum(-1).cumsum(0)
            row_of = torch.searchsorted(ends, lengths.cumsum(0))
            counts = row_of.bincount(minlength=len(input_ids)).tolist()
            for name, value in sounds.items():
                rows = [row.repeat(times, *[1] * (value.dim() - 1)) for row in value.split(counts)]
                repeated[name] = torch.cat(rows)
        marked = input_ids.clone()  # where a video's sound begins, the video does
        both = (input_ids[:, :-1] == self.config.vision_start_token_id) & (
            input_ids[:, 1:] == self.config.audio_start_token_id
        )
        marked[:, 1:][both] = self.config.video_token_id
        return {**super().repeat_inputs(inputs, times, input_ids=marked), **repeated}


class Qwen2_5OmniThinkerPreTrainedModel(PreTrainedModel):
    """What the thinker's classes share."""

    config_class = Qwen2_5OmniThinkerConfig


class Qwen2_5OmniThinkerModel(Qwen2_5OmniThinkerPreTrainedModel, HearingModel):
    """The thinker without its head."""

    tower_class = Qwen2_5OmniVisionEncoder
    ear_class = Qwen2_5OmniAudioEncoder


class Qwen2_5OmniThinkerForConditionalGeneration(
    Qwen2_5OmniThinkerPreTrainedModel, HearingForConditionalGeneration
):
    """The thinker with the language model's head."""

    base_model_prefix = "thinker"
    base_class = Qwen2_5OmniThinkerModel
