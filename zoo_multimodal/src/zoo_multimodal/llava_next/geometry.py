"""How many features an image cut into tiles has, and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Extent = tuple[int, int]


def grid_of(size: Extent, pinpoints: Sequence[Sequence[int]], tile: int) -> Extent:
    """Rows and columns of tiles of an image of `size` (height, width).

    Of the `pinpoints` that one is taken that keeps most pixels of the image, and of these the smallest.
    """

    def merit(target: Sequence[int]) -> tuple[int, int]:
        scale = min(target[1] / size[1], target[0] / size[0])
        kept = min(int(size[1] * scale) * int(size[0] * scale), size[0] * size[1])
        return kept, kept - target[0] * target[1]

    height, width = max(pinpoints, key=merit)
    return height // tile, width // tile


def unpadded(size: Extent, grid: Extent) -> tuple[slice, slice]:
    """Rows and columns of a feature map of `grid` cells that an image of `size`, centred in it, covers."""
    (height, width), (rows, columns) = size, grid
    if width / height > columns / rows:
        covered = int(round(height * (columns / width), 7))
        edge = (rows - covered) // 2
        return slice(edge, rows - edge), slice(0, columns)
    covered = int(round(width * (rows / height), 7))
    edge = (columns - covered) // 2
    return slice(0, rows), slice(edge, columns - edge)


def features_of(
    size: Extent,
    pinpoints: Sequence[Sequence[int]],
    *,
    tile: int,
    patches: int,
    bounded: Callable[[Extent], Extent] | None = None,
) -> int:
    """Features of an image: those of its small version, of all tiles without borders, and one a row.

    tile: edge of a tile in pixels. patches: features along an edge of a tile. bounded: rows and columns of
    what the map of all tiles is made smaller to.
    """
    grid = grid_of(size, pinpoints, tile)
    rows, columns = unpadded(size, (grid[0] * patches, grid[1] * patches))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if bounded is not None:
        height, width = bounded((height, width))
    return patches * patches + height * width + height
