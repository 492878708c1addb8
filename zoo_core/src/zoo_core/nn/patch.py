"""Images as sequences of patches (https://arxiv.org/abs/2010.11929)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Size = int | list[int] | tuple[int, int]


def pair(size: Size) -> tuple[int, int]:
    """(height, width) of a size that may be one number."""
    if isinstance(size, int):
        return size, size
    height, width = size
    return height, width


class PatchEmbedding(nn.Module):
    """A linear map of non-overlapping patches.

    Args:
        image_size: height and width that the positions were trained for. patch_size: of a patch.
    """

    def __init__(
        self, image_size: Size, patch_size: Size, channels: int, hidden_size: int, *, bias: bool = True
    ) -> None:
        super().__init__()
        self.image_size, self.patch_size, self.channels = pair(image_size), pair(patch_size), channels
        self.grid = (self.image_size[0] // self.patch_size[0], self.image_size[1] // self.patch_size[1])
        self.projection = nn.Conv2d(channels, hidden_size, self.patch_size, self.patch_size, bias=bias)

    @property
    def num_patches(self) -> int:
        """Patches of an image of the trained size."""
        return self.grid[0] * self.grid[1]

    def forward(self, pixel_values: Tensor, *, any_size: bool = False) -> Tensor:
        """(batch, channels, height, width) to (batch, patches, hidden), row by row.

        Raises:
            ValueError: another number of channels, or, unless `any_size`, another size than trained for.
        """
        self.check(pixel_values, any_size=any_size)
        return self.projection(pixel_values.to(self.projection.weight.dtype)).flatten(2).transpose(1, 2)

    def check(self, pixel_values: Tensor, *, any_size: bool) -> None:
        """Refuse what `forward` refuses."""
        if pixel_values.shape[1] != self.channels:
            raise ValueError(
                f"pixel_values have {pixel_values.shape[1]} channels, the model takes {self.channels}; "
                "shape is (batch, channels, height, width)"
            )
        if not any_size and tuple(pixel_values.shape[-2:]) != self.image_size:
            raise ValueError(
                f"images are {tuple(pixel_values.shape[-2:])}, the model was trained on {self.image_size}; "
                "resize them (the image processor does), or pass interpolate_pos_encoding=True"
            )


def interpolate_positions(
    table: Tensor,
    grid: tuple[int, int],
    new_grid: tuple[int, int],
    *,
    prefix: int = 1,
    antialias: bool = False,
) -> Tensor:
    """Stretch position embeddings (1, prefix + rows x columns, hidden) from one grid of patches to another.

    The first `prefix` rows (class tokens) keep theirs; the rest are interpolated bicubically.
    """
    if grid == new_grid:
        return table
    first, patches = table[:, :prefix], table[:, prefix:]
    image = patches.reshape(1, *grid, -1).permute(0, 3, 1, 2)
    stretched = F.interpolate(image.float(), size=new_grid, mode="bicubic", antialias=antialias)
    return torch.cat((first, stretched.to(table.dtype).flatten(2).transpose(1, 2)), dim=1)
