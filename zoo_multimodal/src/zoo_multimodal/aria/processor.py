"""Processor of Aria: each image mark becomes as many placeholders as the image has queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo_core.processing import BatchFeature
from zoo_core.processing.batch_feature import array_kind, stack
from zoo_multimodal.media_text import MediaTextProcessor


class AriaProcessor(MediaTextProcessor):
    """An image processor and a tokenizer, which knows `image_token`.

    size_conversion: features of a crop by its edge in pixels; as JSON has it, numbers are strings in files.
    """

    attributes = ("image_processor", "tokenizer")
    defaults = {"images_kwargs": {"return_tensors": "pt"}}
    size_conversion: dict[int, int] | None = None

    def __init__(self, *components: Any, **values: Any) -> None:
        super().__init__(*components, **values)
        sizes: Mapping[Any, int] = self.size_conversion or {490: 128, 980: 256}
        self.size_conversion = {int(edge): count for edge, count in sizes.items()}

    @property
    def image_token(self) -> str:
        """The mark of an image and the placeholder of a feature."""
        return str(self.tokenizer.image_token)

    def __call__(  # type: ignore[override]
        self, text: Any = None, images: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As the base's."""
        return super().__call__(images, text, **kwargs)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        assert self.size_conversion is not None
        features = self.size_conversion[int(found["pixel_values"].shape[-1])]
        return [int(crops) * features for crops in found.pop("num_crops")]

    def run_component(self, kind: str, media: Any, options: dict[str, Any]) -> dict[str, Any]:
        # Crops are counted for each image; the image processor counts the most of its batch.
        from zoo_vision.processing.picture import flat_list

        wanted = array_kind(options.get("return_tensors"))
        done = [self.image_processor(one, **{**options, "return_tensors": "np"}) for one in flat_list(media)]
        found = {
            name: stack(name, np.concatenate([one[name] for one in done]), wanted)
            for name in ("pixel_values", "pixel_mask")
        }
        return {**found, "num_crops": [len(one["pixel_values"]) for one in done]}
