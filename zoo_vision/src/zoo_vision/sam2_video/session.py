"""What is known of one video while objects are followed through it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

Device = torch.device | str
Outputs = dict[str, dict[int, dict[str, Any]]]

CONDITIONING, FOLLOWED = "cond_frame_outputs", "non_cond_frame_outputs"


class Sam2VideoInferenceCache:
    """The maps of the latest frames, so that several objects share them."""

    def __init__(self, device: Device, state_device: Device, limit: int) -> None:
        self.device, self.state_device, self.limit = device, state_device, limit
        self._features: OrderedDict[int, dict[str, tuple[Tensor, ...]]] = OrderedDict()

    def cache_vision_features(self, frame_idx: int, features: dict[str, tuple[Tensor, ...]]) -> None:
        """Keep what `features` holds for a frame, in place of the oldest where there is no more room."""
        while self._features and len(self._features) >= self.limit:
            self._features.popitem(last=False)
        self._features[frame_idx] = {
            name: tuple(x.to(self.state_device) for x in maps) for name, maps in features.items()
        }

    def get_vision_features(self, frame_idx: int) -> dict[str, tuple[Tensor, ...]] | None:
        """What is kept for a frame; None where it is not kept any more."""
        kept = self._features.get(frame_idx)
        if kept is None:
            return None
        return {name: tuple(x.to(self.device) for x in maps) for name, maps in kept.items()}

    def clear_all(self) -> None:
        """Forget all maps."""
        self._features.clear()


class Sam2VideoInferenceSession:
    """Frames, prompts and results of one video; made by `Sam2VideoProcessor.init_video_session`.

    Args:
        video: (frames, 3, height, width), as the video processor prepares it; None where frames follow.
        video_height, video_width: of the frames as they were given.
        inference_device: where the model is. inference_state_device: where results are kept.
        video_storage_device: where frames are kept. dtype: of the frames.
        max_vision_features_cache_size: frames whose maps are kept.
    """

    def __init__(
        self,
        video: Tensor | None = None,
        video_height: int | None = None,
        video_width: int | None = None,
        inference_device: Device = "cpu",
        inference_state_device: Device = "cpu",
        video_storage_device: Device = "cpu",
        dtype: torch.dtype | str = torch.float32,
        max_vision_features_cache_size: int = 1,
    ) -> None:
        self.dtype: torch.dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
        self.video_height, self.video_width = video_height, video_width
        self.inference_device, self.inference_state_device = inference_device, inference_state_device
        self.video_storage_device = video_storage_device
        self.max_vision_features_cache_size = max_vision_features_cache_size
        self.processed_frames: dict[int, Tensor] | None = None
        if video is not None:
            self.processed_frames = dict(enumerate(video.to(video_storage_device, self.dtype)))
        self.cache = Sam2VideoInferenceCache(
            inference_device, inference_state_device, max_vision_features_cache_size
        )
        self.reset_tracking_data()

    def reset_tracking_data(self) -> None:
        """Forget objects, prompts and results, but not the frames."""
        self.obj_ids: list[int] = []
        self.point_inputs_per_obj: dict[int, dict[int, dict[str, Tensor]]] = {}
        self.mask_inputs_per_obj: dict[int, dict[int, Tensor]] = {}
        self.output_dict_per_obj: dict[int, Outputs] = {}
        self.frames_tracked_per_obj: dict[int, dict[int, dict[str, bool]]] = {}
        #: ids of objects with prompts that the model has not seen
        self.obj_with_new_inputs: list[int] = []

    def reset_inference_session(self) -> None:
        """As `reset_tracking_data`, and forget the maps of frames."""
        self.reset_tracking_data()
        self.cache.clear_all()

    # Frames

    @property
    def num_frames(self) -> int | None:
        """How many frames there are; None before the first."""
        return None if self.processed_frames is None else len(self.processed_frames)

    def add_new_frame(self, pixel_values: Tensor, frame_idx: int | None = None) -> int:
        """Add a frame (3, height, width) or (1, 3, height, width), by default the next; its number."""
        if self.processed_frames is None:
            self.processed_frames = {}
        if pixel_values.dim() == 4 and len(pixel_values) == 1:
            pixel_values = pixel_values[0]
        if pixel_values.dim() != 3:
            raise ValueError(f"a frame must be (3, height, width), not {tuple(pixel_values.shape)}")
        index = len(self.processed_frames) if frame_idx is None else frame_idx
        self.processed_frames[index] = pixel_values.to(self.video_storage_device, self.dtype)
        return index

    def get_frame(self, frame_idx: int) -> Tensor:
        """(3, height, width): a frame, where the model is.

        Raises:
            ValueError: there is no such frame.
        """
        frames = self.processed_frames or {}
        if frame_idx not in frames:
            raise ValueError(f"frame_idx={frame_idx}: the session has {len(frames)} frames, counted from 0")
        return frames[frame_idx].to(self.inference_device)

    # Objects

    def obj_id_to_idx(self, obj_id: int) -> int:
        """The place of an object among all; a new one is added."""
        if obj_id not in self.obj_ids:
            index = len(self.obj_ids)
            self.obj_ids.append(obj_id)
            self.point_inputs_per_obj[index], self.mask_inputs_per_obj[index] = {}, {}
            self.output_dict_per_obj[index] = {CONDITIONING: {}, FOLLOWED: {}}
            self.frames_tracked_per_obj[index] = {}
        return self.obj_ids.index(obj_id)

    def obj_idx_to_id(self, obj_idx: int) -> int:
        """The name of the object at a place."""
        return self.obj_ids[obj_idx]

    def get_obj_num(self) -> int:
        """How many objects are followed."""
        return len(self.obj_ids)

    # Prompts

    def add_point_inputs(self, obj_idx: int, frame_idx: int, inputs: dict[str, Tensor]) -> None:
        """Set `point_coords` (1, 1, points, 2) and `point_labels` (1, 1, points) of an object in a frame."""
        self.point_inputs_per_obj[obj_idx][frame_idx] = inputs

    def remove_point_inputs(self, obj_idx: int, frame_idx: int) -> None:
        """Forget an object's points in a frame."""
        self.point_inputs_per_obj[obj_idx].pop(frame_idx, None)

    def add_mask_inputs(self, obj_idx: int, frame_idx: int, inputs: Tensor) -> None:
        """Set the mask (1, 1, height, width) of an object in a frame."""
        self.mask_inputs_per_obj[obj_idx][frame_idx] = inputs

    def remove_mask_inputs(self, obj_idx: int, frame_idx: int) -> None:
        """Forget an object's mask in a frame."""
        self.mask_inputs_per_obj[obj_idx].pop(frame_idx, None)

    # Results

    def store_output(
        self,
        obj_idx: int,
        frame_idx: int,
        output_key: str | None = None,
        output_value: Any = None,
        is_conditioning_frame: bool = True,
    ) -> None:
        """Keep one result of an object in a frame, or, without a key, a dict of all.

        A conditioning frame is one where the object was first pointed at.
        """
        frames = self.output_dict_per_obj[obj_idx][CONDITIONING if is_conditioning_frame else FOLLOWED]
        values = output_value if output_key is None else {output_key: output_value}
        if output_key is None:
            frames[frame_idx] = {}
        frames.setdefault(frame_idx, {}).update(
            {
                name: value.to(self.inference_state_device) if isinstance(value, Tensor) else value
                for name, value in values.items()
            }
        )

    def get_output(
        self, obj_idx: int, frame_idx: int, output_key: str, is_conditioning_frame: bool = True
    ) -> Any:
        """One result of an object in a frame; None where there is none."""
        frames = self.output_dict_per_obj[obj_idx][CONDITIONING if is_conditioning_frame else FOLLOWED]
        found = frames.get(frame_idx, {}).get(output_key)
        return found.to(self.inference_device) if isinstance(found, Tensor) else found
