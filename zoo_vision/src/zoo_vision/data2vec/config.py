"""Configuration of data2vec for images."""

from __future__ import annotations

from zoo_core.config import field
from zoo_vision.beit.config import BeitSizes


class Data2VecVisionConfig(BeitSizes):
    """Sizes and switches of a BEiT; `out_indices` are the layers that semantic segmentation takes."""

    model_type = "data2vec-vision"

    out_indices: list[int] = field([3, 5, 7, 11])
