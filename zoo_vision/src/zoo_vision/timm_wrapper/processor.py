"""Image processor of timm's own checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_vision.processing import geometry
from zoo_vision.processing.classification import CLIPImageProcessor
from zoo_vision.processing.picture import Picture

_RESAMPLE = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


class TimmWrapperImageProcessor(CLIPImageProcessor):
    """What `pretrained_cfg` of timm's config.json says, for use after training.

    The shorter side becomes `input_size / crop_pct`, of which the middle is taken.
    """

    architecture: str | None = None
    data_config: dict[str, Any] | None = None

    def __init__(self, **values: Any) -> None:
        given = values.pop("data_config", None) or values.pop("pretrained_cfg", None)
        values.pop("pretrained_cfg", None)
        if given is not None:
            own = {name: value for name, value in values.items() if name in type(self).fields()}
            values = {**transform_of(given), **own}
        super().__init__(**values)

    def cropped(self, picture: Picture) -> Picture:
        height, width = self.crop_size["height"], self.crop_size["width"]
        down, right = picture.size[0] - height, picture.size[1] - width
        if min(down, right) < 0:
            return super().cropped(picture)
        # half an odd number is rounded to the even one, where others round down
        return geometry.crop(picture, round(down / 2), round(right / 2), height, width)


def transform_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the image processor.

    Raises:
        ProcessingError: a crop or an interpolation that is not known here.
    """
    kept = ("input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode")
    data = {name: given[name] for name in kept if name in given}
    _, height, width = data.get("input_size", (3, 224, 224))
    mode, interpolation = data.get("crop_mode", "center"), data.get("interpolation", "bicubic")
    if interpolation not in _RESAMPLE:
        raise ProcessingError(f"interpolation {interpolation!r} is none of {', '.join(_RESAMPLE)}")
    if mode == "center" and height == width:
        size = {"shortest_edge": math.floor(height / data.get("crop_pct", 0.875))}
    elif mode == "squash":
        share = data.get("crop_pct", 0.875)
        size = {"height": math.floor(height / share), "width": math.floor(width / share)}
    else:
        raise ProcessingError(
            f"crop_mode {mode!r} for images of {height}x{width} is not supported; 'squash' is, and 'center' "
            "of squares"
        )
    fields = {"image_mean": data.get("mean"), "image_std": data.get("std")}
    return {
        "data_config": data,
        "size": size,
        "crop_size": {"height": height, "width": width},
        "resample": _RESAMPLE[interpolation],
        **{name: list(value) for name, value in fields.items() if value is not None},
    }
