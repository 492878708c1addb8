"""Processor of Qwen3-VL: a video's frames stand apart in the text, each after its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo_core.processing import BatchFeature
from zoo_multimodal.qwen2_vl.processor import Qwen2VLProcessor

USUAL_RATE = 24.0
"""Frames a second of a video of which it is not known."""


class Qwen3VLProcessor(Qwen2VLProcessor):
    """As of Qwen2-VL; the time of a frame follows from `video_metadata`, or the rate is taken to be 24."""

    vision_start_token = "<|vision_start|>"
    vision_end_token = "<|vision_end|>"

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As of Qwen2-VL; a video's mark may stand between the tokens that begin and end an image."""
        if videos is not None and text is not None:
            marked = f"{self.vision_start_token}{self.video_token}{self.vision_end_token}"
            texts = [text] if isinstance(text, str) else list(text)
            text = [one.replace(marked, self.video_token) for one in texts]
        return super().__call__(images, text, videos, **kwargs)

    def run_component(self, kind: str, media: Any, options: dict[str, Any]) -> dict[str, Any]:
        wanted = {**options, "return_metadata": True} if kind == "videos" else options
        return super().run_component(kind, media, wanted)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        if kind == "images":
            return super().replacements(kind, found, options)
        area = options.get("merge_size", self.video_processor.merge_size) ** 2
        known = found["video_metadata"] if options.get("return_metadata") else found.pop("video_metadata")
        texts: list[int | str] = []
        for (_, rows, columns), one in zip(found["video_grid_thw"], known, strict=True):
            frame = self.video_token * (int(rows * columns) // area)
            frame = f"{self.vision_start_token}{frame}{self.vision_end_token}"
            times = self.times_of(one.frames_indices, one.fps or USUAL_RATE)
            texts.append("".join(f"<{time:.1f} seconds>{frame}" for time in times))
        return texts

    def times_of(self, frames: Sequence[int], rate: float) -> list[float]:
        """The middle, in seconds, of each group of frames that becomes one in the grid."""
        step = self.video_processor.temporal_patch_size
        padded = [*frames, *[frames[-1]] * (-len(frames) % step)]
        starts = range(0, len(padded), step)
        return [(padded[i] + padded[i + step - 1]) / 2 / rate for i in starts]
