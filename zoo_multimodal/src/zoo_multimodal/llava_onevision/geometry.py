"""How large the feature map of an image may be."""

from __future__ import annotations

import re

from zoo_multimodal.llava_next.geometry import Extent


def largest_area(vision_aspect_ratio: str) -> int | None:
    """How many tiles' area a map may have, None for another word than "anyres_max_N"."""
    found = re.fullmatch(r"anyres_max_(\d+)", vision_aspect_ratio)
    return None if found is None else int(found[1])


def bounded_extent(extent: Extent, patches: int, vision_aspect_ratio: str) -> Extent:
    """Rows and columns of a map of `extent`, made smaller where it is larger than allowed.

    patches: features along an edge of a tile.
    """
    rows, columns = extent
    area = largest_area(vision_aspect_ratio)
    if area is None:
        raise ValueError(f"vision_aspect_ratio {vision_aspect_ratio!r} must be like 'anyres_max_9'")
    ratio = (rows * columns / (area * patches**2)) ** 0.5
    return (int(rows // ratio), int(columns // ratio)) if ratio > 1.1 else extent
