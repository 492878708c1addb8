"""Segment Anything 2 for videos: masks of objects, carried from frame to frame by a memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.errors import ConfigError
from zoo_core.modeling.outputs import ModelOutput
from zoo_vision.detr.model import sine_places
from zoo_vision.sam.model import SamFeedForward
from zoo_vision.sam2.model import Sam2Model, shrunk
from zoo_vision.sam2_video.config import Sam2VideoConfig
from zoo_vision.sam2_video.memory import MemoryAttention, MemoryEncoder
from zoo_vision.sam2_video.session import CONDITIONING, FOLLOWED, Sam2VideoInferenceSession

ABSENT = -1024.0
"""What masks are filled with where the object is not seen."""
SURE = 20.0, -10.0
"""Factor and offset that make logits of a mask of zeros and ones."""


class Sam2VideoSegmentationOutput(ModelOutput):
    """`pred_masks` (objects, 1, height, width): logits in the frame `frame_idx`, a quarter of its size."""

    pred_masks: Tensor | None = None
    frame_idx: int | None = None


class Found(NamedTuple):
    """An object in a frame: logits (1, 1, h, w) at a quarter of the image's size and (1, 1, 4h, 4w) at it,
    the token (1, 1, hidden) that points at it later on, and a score (1, 1, 1) above 0 where it is seen."""

    low: Tensor
    high: Tensor
    pointer: Tensor
    score: Tensor


class Sam2VideoModel(Sam2Model):
    """The model for images, with a memory of earlier frames and of the object in them."""

    config_class = Sam2VideoConfig
    base_model_prefix = "sam2_video"
    ignored_names = ("prompt_encoder.shared_embedding.positional_embedding",)
    memory_attention_class: type[MemoryAttention] = MemoryAttention
    #: dtype of memory while it is kept, by default as it is
    stored_dtype: torch.dtype | None = torch.bfloat16

    def __init__(self, config: Sam2VideoConfig) -> None:
        super().__init__(config)
        size, width = config.prompt_encoder_config.hidden_size, config.memory_encoder_output_channels
        if size % width:
            raise ConfigError(
                f"memory_encoder_output_channels={width} must divide the pointer's {size} features"
            )
        self.memory_attention = self.memory_attention_class(config)
        self.memory_encoder = MemoryEncoder(config)
        # held by checkpoints and, as released, without use
        self.no_memory_positional_encoding = nn.Parameter(torch.zeros(1, 1, size))
        self.memory_temporal_positional_encoding = nn.Parameter(torch.zeros(config.num_maskmem, 1, 1, width))
        self.no_object_pointer = nn.Parameter(torch.zeros(1, size))
        self.mask_downsample = nn.Conv2d(1, 1, 4, 4)
        self.object_pointer_proj = SamFeedForward(size, size, size, 3)
        self.temporal_positional_encoding_projection_layer = (
            nn.Linear(size, width) if config.enable_temporal_pos_encoding_for_object_pointers else None
        )
        self.occlusion_spatial_embedding_parameter = (
            nn.Parameter(torch.zeros(1, width)) if config.enable_occlusion_spatial_embedding else None
        )
        self.post_init()

    # Frames

    def get_image_features(
        self, pixel_values: Tensor, **flags: Any
    ) -> tuple[list[Tensor], list[Tensor], tuple[Tensor, ...] | None, tuple[Tensor, ...] | None]:
        """Maps (cells, batch, channels), the finest first, places of their cells, states and attentions."""
        vision = self.vision_encoder(pixel_values, **flags)
        maps, places = (
            [x.flatten(2).permute(2, 0, 1) for x in kind]
            for kind in (self.detailed(vision), vision.fpn_position_encoding)
        )
        return maps, places, vision.get("hidden_states"), vision.get("attentions")

    def frame_maps(self, session: Sam2VideoInferenceSession, frame_idx: int) -> dict[str, tuple[Tensor, ...]]:
        """`maps`, the finest first, of a frame, and the `places` in the coarsest."""
        known = session.cache.get_vision_features(frame_idx)
        if known is None:
            vision = self.vision_encoder(session.get_frame(frame_idx)[None].to(self.dtype))
            known = {"maps": self.detailed(vision), "places": (vision.fpn_position_encoding[-1],)}
            session.cache.cache_vision_features(frame_idx, known)
        return known

    @torch.no_grad()
    def forward(  # type: ignore[override]
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int | None = None,
        frame: Tensor | None = None,
        reverse: bool = False,
    ) -> Sam2VideoSegmentationOutput:
        """Masks of all objects of a session in one of its frames.

        Args:
            frame_idx: which one; may be left out with a `frame` (3, height, width), which is then added.
            reverse: the video is followed backwards, so that later frames are those remembered.

        Raises:
            ValueError: no frame, or no object to look for.
        """
        session = inference_session
        if frame is not None:
            frame_idx = session.add_new_frame(frame, frame_idx)
        if frame_idx is None:
            raise ValueError("pass the frame_idx of a frame of the session, or a new frame")
        if not session.get_obj_num():
            raise ValueError(
                "the session has no objects; point at one with processor.add_inputs_to_inference_session"
            )
        masks = [
            self._follow(session, number, frame_idx, reverse=reverse, streaming=frame is not None)
            for number in range(session.get_obj_num())
        ]
        return Sam2VideoSegmentationOutput(pred_masks=torch.cat(masks), frame_idx=frame_idx)

    def _follow(
        self,
        session: Sam2VideoInferenceSession,
        number: int,
        frame_idx: int,
        *,
        reverse: bool,
        streaming: bool,
    ) -> Tensor:
        """Find one object in a frame and remember it; its mask (1, 1, height, width)."""
        name = session.obj_idx_to_id(number)
        fresh = name in session.obj_with_new_inputs
        if not fresh and frame_idx in session.output_dict_per_obj[number][CONDITIONING]:
            known: Tensor = session.get_output(number, frame_idx, "pred_masks")
            return known
        begins, points, mask = False, None, None
        if fresh:
            begins = frame_idx not in session.frames_tracked_per_obj[number]
            points = session.point_inputs_per_obj[number].get(frame_idx)
            mask = session.mask_inputs_per_obj[number].get(frame_idx)
            if points is not None or mask is not None:
                session.obj_with_new_inputs.remove(name)
        seen = self.frame_maps(session, frame_idx)
        detail, coarse = seen["maps"][:2], seen["maps"][2]
        if mask is not None:
            found = self.take((*detail, coarse), mask.to(coarse.device, coarse.dtype))
        else:
            if begins:
                context = coarse + self.no_memory_embedding.view(1, -1, 1, 1)
            else:
                memory = self._remembered(session, number, frame_idx, reverse=reverse, streaming=streaming)
                context = self.recall(coarse, seen["places"][0], memory)
            found = self.find((*detail, context), points, begins=begins)
        features, places = self.memorize(coarse, found, prompted=points is not None or mask is not None)
        output = {
            "pred_masks": found.low,
            "object_pointer": found.pointer,
            "maskmem_features": features.to(self.stored_dtype or features.dtype),
            "maskmem_pos_enc": places,
            "object_score_logits": found.score,
        }
        session.store_output(number, frame_idx, output_value=output, is_conditioning_frame=begins)
        if not begins:
            session.frames_tracked_per_obj[number][frame_idx] = {"reverse": reverse}
        return found.low

    @torch.no_grad()
    def propagate_in_video_iterator(
        self,
        inference_session: Sam2VideoInferenceSession,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Sam2VideoSegmentationOutput]:
        """Follow the objects of a session through its video.

        Args:
            start_frame_idx: by default the first frame in which the model was shown an object.
            max_frame_num_to_track: frames after it; by default all there are.

        Raises:
            ValueError: nothing tells where to start.
        """
        session = inference_session
        frames = session.num_frames or 0
        if start_frame_idx is None:
            shown = [index for kept in session.output_dict_per_obj.values() for index in kept[CONDITIONING]]
            if not shown:
                raise ValueError(
                    "the model has seen no prompt yet: call it with the frame_idx of one, "
                    "or pass start_frame_idx"
                )
            start_frame_idx = min(shown)
        count = frames if max_frame_num_to_track is None else max_frame_num_to_track
        if reverse:
            order = range(start_frame_idx, max(start_frame_idx - count, 0) - 1, -1) if start_frame_idx else ()
        else:
            order = range(start_frame_idx, min(start_frame_idx + count, frames - 1) + 1)
        for frame_idx in order:
            yield self(session, frame_idx, reverse=reverse)

    # One object

    def find(
        self,
        maps: tuple[Tensor, ...],
        points: dict[str, Tensor] | None,
        *,
        begins: bool,
    ) -> Found:
        """The object in a frame whose coarsest map is conditioned on the memory.

        Args:
            points: `point_coords` (1, 1, points, 2) and `point_labels` (1, 1, points).
            begins: nothing is remembered yet.
        """
        config, device = self.config, maps[-1].device
        coords, labels = (
            (None, None)
            if points is None
            else (points[name].to(device) for name in ("point_coords", "point_labels"))
        )
        count = 0 if labels is None else labels.shape[2]
        several = (
            config.multimask_output_in_sam
            and (begins or config.multimask_output_for_tracking)
            and config.multimask_min_pt_num <= count <= config.multimask_max_pt_num
        )
        return self._decided(maps, coords, labels, None, several=several)

    def _decided(
        self,
        maps: tuple[Tensor, ...],
        coords: Tensor | None,
        labels: Tensor | None,
        masks: Tensor | None,
        *,
        several: bool,
    ) -> Found:
        """The best mask for a prompt, the pointer of its token, and the score."""
        decoder = self.mask_decoder
        found = self.decode(maps, coords, labels, None, masks, several=several)
        score = decoder.pred_obj_score_head(found.tokens[:, :, 0])
        seen = score > 0
        best = found.scores.argmax(2, keepdim=True)
        low = torch.where(seen[..., None, None], found.masks, ABSENT)
        low = low.take_along_dim(best[..., None, None], 2)[:, :, 0].float()
        token = found.tokens[:, :, decoder.first_mask + (1 if several else 0) :]
        token = token.take_along_dim(best[..., None], 2)[:, :, 0]
        pointer = torch.where(seen, self.object_pointer_proj(token), self.no_object_pointer)
        side = self.config.image_size
        high = F.interpolate(low, size=(side, side), mode="bilinear", align_corners=False)
        return Found(low, high, pointer, score)

    def take(self, maps: tuple[Tensor, ...], mask: Tensor) -> Found:
        """The object that a mask (1, 1, height, width) of zeros and ones tells."""
        factor, offset = SURE
        high = mask * factor + offset
        seen = mask.flatten(1).any(1)[:, None, None]
        pointer = self._decided(maps, None, None, self.mask_downsample(mask), several=True).pointer
        pointer = torch.where(seen, pointer, self.no_object_pointer)
        low = shrunk(high.float(), high.shape[-1] // 4)
        return Found(low, high, pointer, seen * factor + offset)

    # Memory

    def memorize(self, x: Tensor, found: Found, *, prompted: bool) -> tuple[Tensor, Tensor]:
        """Memory (1, tokens, width) of a frame, whose coarsest map is x, and the places of its tokens.

        Args:
            prompted: the mask is of a frame with prompts, and counts as certain.
        """
        mask = (found.high > 0).to(x.dtype) if prompted else found.high.to(x.dtype).sigmoid()
        scale, bias = self.config.sigmoid_scale_for_mem_enc, self.config.sigmoid_bias_for_mem_enc
        features = self.memory_encoder(x, mask * scale + bias)
        if self.occlusion_spatial_embedding_parameter is not None:
            unseen = (found.score <= 0)[..., None]
            features = features + unseen * self.occlusion_spatial_embedding_parameter[..., None, None]
        places = sine_places(torch.ones_like(features[:, 0]), features.shape[1] // 2)
        return self.kept(features, places.to(x.dtype))

    def kept(self, features: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Memory (1, width, rows, columns) and the places of its cells, as tokens (1, tokens, width)."""
        return features.flatten(2).transpose(1, 2), places

    def recall(self, x: Tensor, places: Tensor, memory: tuple[Tensor, Tensor, int]) -> Tensor:
        """A map (1, hidden, rows, columns) with its places, conditioned on what `_remembered` returns."""
        tokens, token_places, unplaced = memory
        found: Tensor = self.memory_attention(x, places, tokens, token_places, unplaced=unplaced)
        return found

    def _remembered(
        self,
        session: Sam2VideoInferenceSession,
        number: int,
        frame_idx: int,
        *,
        reverse: bool,
        streaming: bool,
    ) -> tuple[Tensor, Tensor, int]:
        """Memory (1, tokens, width) for a frame, its places, and how many tokens are pointers."""
        kept = session.output_dict_per_obj[number]
        shown, followed = kept[CONDITIONING], kept[FOLLOWED]
        if not shown:
            name = session.obj_idx_to_id(number)
            raise ValueError(
                f"object {name} was not shown in any frame that the model has seen: call it with the "
                "frame_idx of its prompts before others"
            )
        back = 1 if reverse else -1
        spans = [(0, output) for output in shown.values()]
        for distance in range(self.config.num_maskmem - 1, 0, -1):
            output = followed.get(frame_idx + back * distance)
            if output is not None:
                spans.append((distance, output))
        device, dtype = self.no_memory_embedding.device, self.no_memory_embedding.dtype
        memory = [output["maskmem_features"].to(device, dtype) for _, output in spans]
        times = self.memory_temporal_positional_encoding[:, 0]
        places = [output["maskmem_pos_enc"].to(device) + times[distance - 1] for distance, output in spans]
        limit = self.config.max_object_pointers_in_encoder
        if not streaming:
            limit = min(limit, session.num_frames or 0)
        since = {back * (index - frame_idx): output for index, output in shown.items()}
        pointers = [(distance, output) for distance, output in since.items() if distance >= 0]
        for distance in range(1, limit):
            output = followed.get(frame_idx + back * distance)
            if output is not None:
                pointers.append((distance, output))
        tokens, own = self.pointer_tokens(
            [(distance, output["object_pointer"]) for distance, output in pointers], limit
        )
        return torch.cat((*memory, tokens), dim=1), torch.cat((*places, own), dim=1), tokens.shape[1]

    def pointer_tokens(self, pointers: list[tuple[int, Tensor]], limit: int) -> tuple[Tensor, Tensor]:
        """Pointers (1, 1, hidden), with their distances in frames, as tokens (1, tokens, width) and places.

        Args:
            limit: distances are counted in parts of this many frames.
        """
        width = self.config.memory_encoder_output_channels
        like = self.no_object_pointer
        if not pointers:
            return like.new_empty(1, 0, width), like.new_empty(1, 0, width)
        tokens = torch.cat([pointer.to(like) for _, pointer in pointers], dim=1)
        pieces = tokens.shape[2] // width
        project = self.temporal_positional_encoding_projection_layer
        if project is None:
            places = like.new_zeros(1, len(pointers), width)
        else:
            parts = torch.tensor([distance for distance, _ in pointers], device=like.device)
            places = project(line_places(parts / max(limit - 1, 1), tokens.shape[2]).to(like.dtype))[None]
        return tokens.unflatten(2, (pieces, width)).flatten(1, 2), places.repeat_interleave(pieces, 1)


def line_places(values: Tensor, features: int) -> Tensor:
    """(count, features): sines of `values` (count,), then cosines, two of each frequency."""
    half = features // 2
    angles = values[:, None] / 10000 ** (torch.arange(half, device=values.device) // 2 * 2 / half)
    return torch.cat((angles.sin(), angles.cos()), dim=-1)
