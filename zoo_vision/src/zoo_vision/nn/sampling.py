"""What lies between the cells of maps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def sample(maps: Tensor, places: Tensor, *, mode: str = "bilinear", align_corners: bool = False) -> Tensor:
    """(batch, width, rows, columns) at places (batch, ..., 2), x and y from -1 to 1; zeros outside.

    bfloat16 is too coarse for places, and on the CPU torch's own sampling of it reads beyond the maps (2.13).
    """
    half = maps.dtype is torch.bfloat16
    given = (maps.float(), places.float()) if half else (maps, places)
    return F.grid_sample(*given, mode=mode, align_corners=align_corners).to(maps.dtype)
