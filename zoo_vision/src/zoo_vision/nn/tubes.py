"""Videos as sequences of patches that span several frames."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.nn.patch import Size, pair


class TubeEmbedding(nn.Module):
    """A linear map of non-overlapping blocks of frames, rows and columns.

    Args:
        image_size: height and width of a frame. tube: frames, rows and columns of a block.
    """

    def __init__(
        self, frames: int, image_size: Size, tube: tuple[int, int, int], channels: int, hidden_size: int
    ) -> None:
        super().__init__()
        self.image_size, self.tube, self.channels = pair(image_size), tube, channels
        height, width = self.image_size
        self.grid = (frames // tube[0], height // tube[1], width // tube[2])
        self.projection = nn.Conv3d(channels, hidden_size, tube, tube)

    @property
    def num_patches(self) -> int:
        """Blocks of a video of the trained length and size."""
        return self.grid[0] * self.grid[1] * self.grid[2]

    def forward(self, pixel_values: Tensor, *, any_size: bool = False) -> Tensor:
        """(batch, frames, channels, height, width) to (batch, patches, hidden), frame by frame.

        Raises:
            ValueError: another number of channels, or, unless `any_size`, another size than trained for.
        """
        if pixel_values.dim() != 5 or pixel_values.shape[2] != self.channels:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}, but must be (batch, frames, "
                f"{self.channels} channels, height, width)"
            )
        if not any_size and tuple(pixel_values.shape[-2:]) != self.image_size:
            raise ValueError(
                f"frames are {tuple(pixel_values.shape[-2:])}, the model was trained on {self.image_size}; "
                "resize them (the image processor does)"
            )
        return self.projection(pixel_values.transpose(1, 2)).flatten(2).transpose(1, 2)
