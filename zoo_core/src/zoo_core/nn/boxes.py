"""Where words stand on a page (https://arxiv.org/abs/1912.13318)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

PAGE = 1000
"""Boxes are in thousandths of a page."""


class BoxEmbedding(nn.Module):
    """Embeddings of both corners, the height and the width of boxes.

    Args:
        rows: coordinates are below this.
        coordinate_size: width of the embedding of each coordinate. shape_size: of height and width.
    """

    def __init__(self, rows: int, coordinate_size: int, shape_size: int) -> None:
        super().__init__()
        self.x_position_embeddings = nn.Embedding(rows, coordinate_size)
        self.y_position_embeddings = nn.Embedding(rows, coordinate_size)
        self.h_position_embeddings = nn.Embedding(rows, shape_size)
        self.w_position_embeddings = nn.Embedding(rows, shape_size)

    def forward(self, bbox: Tensor) -> tuple[Tensor, ...]:
        """Boxes (..., 4) as x0, y0, x1, y1 to six tensors (..., size): x0, y0, x1, y1, height, width.

        Raises:
            ValueError: a coordinate is negative or too large.
        """
        last = self.x_position_embeddings.num_embeddings - 1
        if bbox.device.type == "cpu" and not torch.compiler.is_compiling():  # elsewhere a look costs a wait
            outside = bbox[(bbox < 0) | (bbox > last)]
            if outside.numel():
                raise ValueError(
                    f"bbox holds {int(outside[0])}; coordinates must be 0 to {min(PAGE, last)}, "
                    "thousandths of the page"
                )
        x0, y0, x1, y1 = bbox.unbind(-1)
        x, y = self.x_position_embeddings, self.y_position_embeddings
        height, width = (y1 - y0).clamp(0, last), (x1 - x0).clamp(0, last)
        shape = self.h_position_embeddings(height), self.w_position_embeddings(width)
        return x(x0), y(y0), x(x1), y(y1), *shape


def boxes_or_none(bbox: Tensor | None, words: Tensor) -> Tensor:
    """`bbox`, or boxes without extent (batch, sequence, 4) for words (batch, sequence, ...)."""
    if bbox is not None:
        return bbox
    return torch.zeros(*words.shape[:2], 4, dtype=torch.int64, device=words.device)
