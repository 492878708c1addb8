"""Processor of LLaVA-NeXT: each image mark becomes as many placeholders as its tiles have features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.llava.processor import LlavaProcessor
from zoo_multimodal.llava_next.geometry import features_of


class LlavaNextProcessor(LlavaProcessor):
    """As of LLaVA, for images cut into tiles."""

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        edge, patch = int(found["pixel_values"][0].shape[-1]), self.known_patch_size()
        pinpoints = options.get("image_grid_pinpoints", self.image_processor.image_grid_pinpoints)
        sizes = [(int(height), int(width)) for height, width in found["image_sizes"]]
        return [
            features_of(size, pinpoints, tile=edge, patches=edge // patch) + self.features_besides()
            for size in sizes
        ]
