"""Processor of LLaVA-NeXT-Video: placeholders for the tiles of images and for the pooled frames of videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.llava.processor import LlavaProcessor
from zoo_multimodal.llava_next.processor import LlavaNextProcessor

POOLED = 4
"""Features of a frame that become one."""


class FramesProcessor(LlavaProcessor):
    """As of LLaVA, with videos, whose frames are images to the model."""

    defaults = {"common_kwargs": {"return_tensors": "pt"}}
    video_token: str = "<video>"

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        if kind == "images":
            return super().replacements(kind, found, options)
        patch, counts = self.known_patch_size(), list[int | str]()
        for frames in found["pixel_values_videos"]:
            height, width = frames[0].shape[-2:]
            counts.append(len(frames) * self.features_of_frame(int(height // patch) * int(width // patch)))
        return counts

    def features_of_frame(self, patches: int) -> int:
        """Features that the model will make of a frame of so many patches."""
        raise NotImplementedError


class LlavaNextVideoProcessor(FramesProcessor, LlavaNextProcessor):
    """As of LLaVA-NeXT, with videos."""

    attributes = ("video_processor", "image_processor", "tokenizer")

    def features_of_frame(self, patches: int) -> int:
        return patches // POOLED
