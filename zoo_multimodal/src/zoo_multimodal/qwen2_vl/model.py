"""Qwen2-VL: images and videos at their own resolution, in a text whose positions have three axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from zoo_core.modeling.parts import build_part
from zoo_core.nn.cache import Cache
from zoo_multimodal.image_text import ImageTextForConditionalGeneration, find_placeholders, place_features
from zoo_multimodal.qwen2_vl.config import Qwen2VLConfig
from zoo_multimodal.qwen2_vl.positions import Grid, continued, mask_of_new, rope_index, shift, text_positions
from zoo_multimodal.qwen2_vl.vision import Qwen2VisionTransformerPretrainedModel

Media = Mapping[str, tuple[Tensor | None, Tensor | None]]
"""Pixels and grids of images and of videos."""


class Qwen2VLModelOutputWithPast(BaseModelOutputWithPast):
    """States of the language model; `rope_deltas` (batch, 1): next position less the tokens so far."""

    rope_deltas: Tensor | None = None


class Qwen2VLCausalLMOutputWithPast(CausalLMOutputWithPast):
    """Scores of the next token; `rope_deltas` (batch, 1): next position less the tokens so far."""

    rope_deltas: Tensor | None = None


class QwenVLPreTrainedModel(PreTrainedModel):
    """What the classes of Qwen2-VL and its kin share."""

    base_model_prefix = "model"
    #: files have one of two layouts; the older is the one written
    aliases = {"^model.language_model": "model", "^model.visual": "visual", "^language_model": "model"}


class Qwen2VLPreTrainedModel(QwenVLPreTrainedModel):
    """What all Qwen2-VL classes share."""

    config_class = Qwen2VLConfig


class QwenVLModel(PreTrainedModel):
    """An image tower and a language model without its head."""

    hub_names: dict[str, str] = {"language_model": "model"}
    tower_class: ClassVar[type[PreTrainedModel]]
    output_class: ClassVar[type[Qwen2VLModelOutputWithPast]] = Qwen2VLModelOutputWithPast

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.visual = self.tower_class(config.vision_config)
        self.language_model = build_part(config.text_config)
        self.post_init()

    def get_decoder(self) -> nn.Module:
        return self.language_model

    # Images and videos

    def get_image_features(self, pixel_values: Tensor, image_grid_thw: Tensor) -> tuple[Tensor, ...]:
        """Features (features, hidden) of each image.

        Args:
            pixel_values: patches of all images. image_grid_thw: (images, 3) patches in time, rows, columns.
        """
        features = self.visual(pixel_values, grid_thw=image_grid_thw)
        area = self.config.vision_config.spatial_merge_size**2
        return tuple(features.split((image_grid_thw.prod(-1) // area).tolist()))

    def get_video_features(self, pixel_values_videos: Tensor, video_grid_thw: Tensor) -> tuple[Tensor, ...]:
        """Features (features, hidden) of each video, whose patches and grids are as of images."""
        return self.get_image_features(pixel_values_videos, video_grid_thw)

    def placed(
        self, embedded: Tensor, input_ids: Tensor | None, media: Media
    ) -> tuple[Tensor, dict[str, Any]]:
        """`embedded` (batch, sequence, hidden) with features where their placeholders are.

        Also further inputs of the language model.
        """
        for what, (pixels, grid) in self.given(media):
            features = torch.cat(getattr(self, f"get_{what}_features")(pixels, grid))
            token = getattr(self.config, f"{what}_token_id")
            places = find_placeholders(input_ids, embedded, token, self.get_input_embeddings())
            embedded = place_features(embedded, places, features, what=what)
        return embedded, {}

    def given(self, media: Media) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
        """Those of `media` that have pixels."""
        for what, (pixels, grid) in media.items():
            if pixels is None:
                continue
            if grid is None:
                raise ValueError(f"pass {what}_grid_thw with the pixels; the processor returns both")
            yield what, (pixels, grid)

    def further_media(self, inputs: dict[str, Any]) -> Media:
        """Media beside images and videos, taken out of `inputs`."""
        return {}

    # Positions

    def get_rope_index(
        self,
        input_ids: Tensor,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **times: Any,
    ) -> tuple[Tensor, Tensor]:
        """Positions (3, batch, sequence) and deltas (batch, 1); see `rope_index`."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        if image_grid_thw is None and video_grid_thw is None:
            return text_positions(mask)
        grids = {
            self.config.image_token_id: self.image_boxes(image_grid_thw),
            self.config.video_token_id: self.boxes(video_grid_thw, **times),
        }
        return rope_index(input_ids, mask, grids, start_token=self.config.vision_start_token_id)

    def boxes(self, grid_thw: Tensor | None) -> Iterator[Grid]:
        """Times, rows and columns of the features of each image or video."""
        merge = self.config.vision_config.spatial_merge_size
        for time, rows, columns in [] if grid_thw is None else grid_thw.tolist():
            yield range(time), rows // merge, columns // merge

    def image_boxes(self, grid_thw: Tensor | None) -> Iterator[Grid]:
        """As `boxes`, of images."""
        return self.boxes(grid_thw)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        *,
        pixel_values: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        rope_deltas: Tensor | None = None,
        second_per_grid_ts: Tensor | None = None,
        **inputs: Any,
    ) -> Qwen2VLModelOutputWithPast:
        """Text (batch, sequence) with placeholders, images and videos, to states (batch, sequence, hidden).

        Args:
            position_ids: (3, batch, sequence); by default made by `get_rope_index`.
            pixel_values, pixel_values_videos: patches of all images, of all videos.
            image_grid_thw, video_grid_thw: (images or videos, 3), patches of each in time, rows, columns.
            rope_deltas: (batch, 1), as an earlier call returned them; by default the cache knows.
            second_per_grid_ts: (videos,), seconds between two frames of a grid, where positions tell time.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        media = {"image": (pixel_values, image_grid_thw), "video": (pixel_values_videos, video_grid_thw)}
        media |= self.further_media(inputs)
        inputs_embeds, further = self.placed(inputs_embeds, input_ids, media)
        cache = self.language_model.cache_for(past_key_values, use_cache)
        slot = shift(cache, rope_deltas)
        if position_ids is None:
            mask = mask_of_new(attention_mask, inputs_embeds, cache)
            if input_ids is None:
                positions, deltas = text_positions(mask)
            else:
                times = {} if second_per_grid_ts is None else {"second_per_grid_ts": second_per_grid_ts}
                positions, deltas = self.get_rope_index(
                    input_ids, image_grid_thw, video_grid_thw, mask, **times
                )
            position_ids, slot.value = continued(positions, deltas, cache, slot)
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=use_cache,
            **further,
            **inputs,
        )
        return self.output_class.carry(outputs, rope_deltas=slot.value)


class Qwen2VLModel(Qwen2VLPreTrainedModel, QwenVLModel):
    """The model without its head."""

    tower_class = Qwen2VisionTransformerPretrainedModel


class QwenVLForConditionalGeneration(ImageTextForConditionalGeneration):
    """Such a model with the language model's head."""

    head_names: ClassVar[dict[str, str]] = {}
    output_class = Qwen2VLCausalLMOutputWithPast

    @property
    def visual(self) -> nn.Module:
        """The image tower."""
        return self.model.visual

    def get_image_features(self, pixel_values: Tensor, image_grid_thw: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Features of each image, see the base model."""
        return self.model.get_image_features(pixel_values, image_grid_thw)

    def get_video_features(self, pixel_values_videos: Tensor, video_grid_thw: Tensor) -> tuple[Tensor, ...]:
        """Features of each video, see the base model."""
        return self.model.get_video_features(pixel_values_videos, video_grid_thw)

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> Qwen2VLCausalLMOutputWithPast:
        """Text (batch, sequence) with placeholders, images and videos, to scores of the next token.

        Of the further inputs `labels` and `logits_to_keep` are as in any language model, the others go to
        the base model.
        """
        return super().forward(input_ids, attention_mask=attention_mask, **inputs)

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, *, position_ids: Tensor | None = None, **inputs: Any
    ) -> dict[str, Any]:
        """As the base's; positions of one axis, which generation counts, are left to the model."""
        if position_ids is not None and position_ids.dim() == 3:
            inputs["position_ids"] = position_ids
        return super().prepare_inputs_for_generation(input_ids, **inputs)

    def media_of_rows(self, starts: list[int], grid: Tensor, what: str) -> list[int]:
        """How many images or videos, of those in `grid`, each row has in which so many begin."""
        return starts

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times, with all of its images and videos."""
        names = {
            "image": ("pixel_values", "image_grid_thw"),
            "video": ("pixel_values_videos", "video_grid_thw"),
        }
        inputs, repeated = dict(inputs), {}
        for what, (pixels, grid) in names.items():
            if inputs.get(grid) is None:
                continue
            first = (input_ids[:, :-1] == self.config.vision_start_token_id) & (
                input_ids[:, 1:] == getattr(self.config, f"{what}_token_id")
            )
            counts = self.media_of_rows(first.sum(-1).tolist(), inputs[grid], what)
            rows = inputs[grid].split(counts)
            patches = inputs[pixels].split([int(one.prod(-1).sum()) for one in rows])
            repeated[grid] = torch.cat([one.repeat(times, 1) for one in rows])
            repeated[pixels] = torch.cat([one.repeat(times, 1) for one in patches])
            del inputs[grid], inputs[pixels]
        return {**super().repeat_inputs(inputs, times, input_ids=input_ids), **repeated}


class Qwen2VLForConditionalGeneration(QwenVLForConditionalGeneration, Qwen2VLPreTrainedModel):
    """Qwen2-VL with the language model's head."""

    base_class = Qwen2VLModel
