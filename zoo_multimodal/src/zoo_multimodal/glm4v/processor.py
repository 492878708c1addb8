"""Processor of GLM-4.1V: a video's frames stand in the text as images, each before its second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.qwen2_vl.processor import Qwen2VLProcessor

USUAL_RATE = 24.0
"""Frames a second of a video of which it is not known."""


class Glm4vProcessor(Qwen2VLProcessor):
    """An image processor, a tokenizer and a video processor."""

    defaults = {"text_kwargs": {"return_token_type_ids": False}}

    @property
    def image_token(self) -> str:
        return getattr(self.tokenizer, "image_token", "<|image|>")

    @property
    def video_token(self) -> str:
        return getattr(self.tokenizer, "video_token", "<|video|>")

    def run_component(self, kind: str, media: Any, options: dict[str, Any]) -> dict[str, Any]:
        wanted = {**options, "return_metadata": True} if kind == "videos" else options
        return super().run_component(kind, media, wanted)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        if kind == "images":
            return super().replacements(kind, found, options)
        area = options.get("merge_size", self.video_processor.merge_size) ** 2
        step = self.video_processor.temporal_patch_size
        known = found["video_metadata"] if options.get("return_metadata") else found.pop("video_metadata")
        texts: list[int | str] = []
        for (_, rows, columns), one in zip(found["video_grid_thw"], known, strict=True):
            marks = self.image_token * (int(rows * columns) // area)
            rate = one.fps or USUAL_RATE
            seconds = [int(index / rate) for index in one.frames_indices[::step]]
            texts.append("".join(f"<|begin_of_image|>{marks}<|end_of_image|>{time}" for time in seconds))
        return texts
