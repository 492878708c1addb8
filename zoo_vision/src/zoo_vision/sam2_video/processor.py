"""Processor of Segment Anything 2 for videos: a session for each video, and prompts for its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from zoo_core.errors import ProcessingError
from zoo_vision.sam2.processor import Sam2Processor

if TYPE_CHECKING:
    import torch

    from zoo_vision.sam2_video.session import Device, Sam2VideoInferenceSession

CORNERS = 2, 3
"""Labels of points that are the upper left and the lower right corner of a box."""


class Sam2VideoProcessor(Sam2Processor):
    """The processors of pictures and videos, which take prompts too."""

    attributes: ClassVar[tuple[str, ...]] = ("image_processor", "video_processor")

    def init_video_session(
        self,
        video: Any = None,
        inference_device: Device = "cpu",
        inference_state_device: Device | None = None,
        processing_device: Device | None = None,
        video_storage_device: Device | None = None,
        max_vision_features_cache_size: int = 1,
        dtype: torch.dtype | None = None,
    ) -> Sam2VideoInferenceSession:
        """What `Sam2VideoModel` follows objects in.

        Args:
            video: frames, a file, …, see `VideoProcessor.preprocess`; None where frames follow one by one.
            inference_device: where the model is. inference_state_device, video_storage_device: where results
                and frames are kept, by default there too.
            processing_device: taken; frames are prepared on the host.
            max_vision_features_cache_size: frames whose maps are kept.
            dtype: of the frames, float32 by default.
        """
        import torch

        from zoo_vision.sam2_video.session import Sam2VideoInferenceSession

        frames, size = None, (None, None)
        if video is not None:
            found = self.video_processor(videos=video, return_tensors="pt")
            frames = found["pixel_values_videos"][0]
            height, width = found["original_sizes"][0].tolist()
            size = height, width
        return Sam2VideoInferenceSession(
            frames,
            *size,
            inference_device=inference_device,
            inference_state_device=inference_state_device or inference_device,
            video_storage_device=video_storage_device or inference_device,
            dtype=dtype or torch.float32,
            max_vision_features_cache_size=max_vision_features_cache_size,
        )

    def add_inputs_to_inference_session(
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int,
        obj_ids: list[int] | int,
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        input_masks: Any = None,
        original_size: Any = None,
        clear_old_inputs: bool = True,
    ) -> Sam2VideoInferenceSession:
        """Point at objects in a frame, with points and boxes, or with masks.

        Args:
            obj_ids: names of the objects, old or new.
            input_points: [for the one frame][for each object][points] (x, y) in pixels of the video, with
                input_labels likewise, 1 on the object and 0 off it.
            input_boxes: [for the one frame][for each object] left, top, right, bottom.
            input_masks: (height, width) for each object, of any size.
            original_size: (height, width) of the frames, where the session began without a video.
            clear_old_inputs: forget earlier points of the objects in this frame.

        Raises:
            ProcessingError: prompts are missing, exclude each other, or are not as many as the objects.
        """
        session, ids = inference_session, [obj_ids] if isinstance(obj_ids, int) else list(obj_ids)
        if input_masks is not None:
            if input_points is not None or input_boxes is not None:
                raise ProcessingError("input_masks exclude input_points and input_boxes; pass one kind")
            self.process_new_mask_for_video_frame(session, frame_idx, ids, input_masks)
        elif input_points is None and input_boxes is None and input_labels is None:
            raise ProcessingError("pass input_points with input_labels, input_boxes or input_masks")
        else:
            self.process_new_points_or_boxes_for_video_frame(
                session,
                frame_idx,
                ids,
                input_points,
                input_labels,
                input_boxes,
                original_size,
                clear_old_inputs,
            )
        return session

    def process_new_points_or_boxes_for_video_frame(
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int,
        obj_ids: list[int],
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        original_size: Any = None,
        clear_old_inputs: bool = True,
    ) -> Sam2VideoInferenceSession:
        """Points and boxes of `add_inputs_to_inference_session`."""
        import torch

        session = inference_session
        if (input_points is None) != (input_labels is None):
            raise ProcessingError("input_points and input_labels belong together; pass both")
        if input_boxes is not None and not clear_old_inputs:
            raise ProcessingError("a box comes before all points of its object; leave clear_old_inputs=True")
        if original_size is not None:
            session.video_height, session.video_width = (int(side) for side in original_size)
        if session.video_height is None:
            raise ProcessingError("pass original_size=(height, width): the session began without a video")
        found = self(
            input_points=input_points,
            input_labels=input_labels,
            input_boxes=input_boxes,
            original_sizes=[(session.video_height, session.video_width)],
            return_tensors="pt",
        )
        points, labels = [], []
        if input_boxes is not None:
            boxes = found["input_boxes"][0].unflatten(1, (2, 2))
            points.append(boxes)
            labels.append(torch.tensor(CORNERS).expand(len(boxes), 2))
        if input_points is not None:
            points.append(found["input_points"][0])
            labels.append(found["input_labels"][0])
        for kind in points:
            check_count(len(obj_ids), len(kind), "points or boxes")
        coords, kinds = torch.cat(points, dim=1), torch.cat(labels, dim=1)
        for place, name in enumerate(obj_ids):
            number = session.obj_id_to_idx(name)
            own = {"point_coords": coords[place][None, None], "point_labels": kinds[place][None, None]}
            known = session.point_inputs_per_obj[number].get(frame_idx)
            if known is not None and not clear_old_inputs:
                own = {key: torch.cat((known[key], value), dim=2) for key, value in own.items()}
            session.add_point_inputs(number, frame_idx, own)
            session.remove_mask_inputs(number, frame_idx)
        announce(session, obj_ids)
        return session

    def process_new_mask_for_video_frame(
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int,
        obj_ids: list[int],
        input_masks: Any,
    ) -> Sam2VideoInferenceSession:
        """Masks of `add_inputs_to_inference_session`."""
        import torch
        import torch.nn.functional as F

        session, side = inference_session, self.side
        if getattr(input_masks, "ndim", 3) == 2:
            input_masks = [input_masks]
        masks = [torch.as_tensor(mask).float() for mask in input_masks]
        check_count(len(obj_ids), len(masks), "masks")
        for name, mask in zip(obj_ids, masks, strict=True):
            if mask.squeeze().dim() != 2:
                raise ProcessingError(f"a mask must be (height, width), not {tuple(mask.shape)}")
            mask = mask.squeeze()[None, None]
            if mask.shape[-2:] != (side, side):
                size = (side, side)
                mask = F.interpolate(mask, size, mode="bilinear", align_corners=False, antialias=True)
                mask = (mask >= 0.5).float()
            number = session.obj_id_to_idx(name)
            session.add_mask_inputs(number, frame_idx, mask)
            session.remove_point_inputs(number, frame_idx)
        announce(session, obj_ids)
        return session


def check_count(objects: int, given: int, what: str) -> None:
    """Refuse prompts that are not as many as objects."""
    if objects != given:
        raise ProcessingError(f"{objects} obj_ids came with {given} {what}; give one set for each object")


def announce(session: Sam2VideoInferenceSession, names: list[int]) -> None:
    """Let the model know of new prompts."""
    new = session.obj_with_new_inputs
    new.extend(name for name in names if name not in new)
