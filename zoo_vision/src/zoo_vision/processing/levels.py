"""From levels to values: rescaling and normalising in one pass, straight into the output batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo_core.errors import ConfigError, ProcessingError
from zoo_vision.processing.picture import FIRST, Picture


def per_channel(value: float | Sequence[float], channels: int, name: str) -> np.ndarray:
    """``value`` as one float32 per channel; a single number serves them all."""
    found = np.atleast_1d(np.asarray(value, dtype=np.float32))
    if found.ndim != 1 or len(found) not in (1, channels):
        raise ProcessingError(
            f"{name} has {len(found)} values and the image {channels} channels; the numbers must agree"
        )
    return np.broadcast_to(found, (channels,))


@dataclass(frozen=True, slots=True)
class Levels:
    """``(level * factor - offset - mean) / std``, each part optional, rounded as float32 after each.

    Args:
        factor: rescale factor, usually 1/255.
        offset: subtracted after rescaling.
        mean: per channel; None leaves the normalisation out.
        std: per channel.
        flip: reverse the channels (RGB to BGR) before the normalisation.
        divide_again: divide by these once more at the end (EfficientNet's top).
    """

    factor: float | None = None
    offset: float = 0.0
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None
    flip: bool = False
    divide_again: float | Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.std is not None and not np.all(np.asarray(self.std, dtype=np.float64)):
            raise ConfigError(f"image_std={self.std!r} has a zero; the values are divided by it")

    @property
    def keeps_levels(self) -> bool:
        """Whether the values stay what they are."""
        return self.factor is None and self.mean is None and self.divide_again is None

    def constants(self, channels: int) -> list[list[tuple[np.float32, np.float32]]]:
        """What to subtract and to divide by, one pair per channel and step."""
        steps: list[tuple[np.ndarray, np.ndarray]] = []
        if self.mean is not None and self.std is not None:
            mean = per_channel(self.mean, channels, "image_mean")
            steps.append((mean, per_channel(self.std, channels, "image_std")))
        if self.divide_again is not None:
            zeros = np.zeros(channels, dtype=np.float32)
            steps.append((zeros, per_channel(self.divide_again, channels, "image_std")))
        return [[(mean[c], std[c]) for mean, std in steps] for c in range(channels)]

    def column(
        self, values: np.ndarray, scale: float | None, steps: list[tuple[np.float32, np.float32]]
    ) -> np.ndarray:
        """``values`` of one channel mapped."""
        if scale is not None:
            values = (values.astype(np.float64) * scale).astype(np.float32)
        if self.factor is not None:
            values = (values.astype(np.float64) * self.factor - self.offset).astype(np.float32)
        for mean, std in steps:
            values = (values.astype(np.float32) - mean) / std
        return values

    def into(self, picture: Picture, out: np.ndarray, *, data_format: str = FIRST) -> None:
        """Write the picture's values into ``out``, (channels, height, width) or channels last."""
        array = picture.array()
        channels = array.shape[2]
        constants = self.constants(channels)
        ramp = np.arange(256, dtype=np.uint8) if array.dtype == np.uint8 else None
        for channel in range(channels):
            source = array[:, :, channels - 1 - channel if self.flip else channel]
            target = out[channel] if data_format == FIRST else out[:, :, channel]
            if ramp is None or (self.keeps_levels and picture.scale is None):
                target[...] = self.column(source, picture.scale, constants[channel])
            else:
                # Only 256 levels exist, so each is worked out once and looked up.
                target[...] = self.column(ramp, picture.scale, constants[channel])[source]

    def dtype(self, picture: Picture) -> np.dtype:
        """The kind of number that ``into`` produces."""
        if self.keeps_levels and picture.scale is None:
            return picture.array().dtype
        return np.dtype(np.float32)

    def apply(self, picture: Picture, *, data_format: str = FIRST) -> np.ndarray:
        """The picture's values in an array of its own."""
        height, width = picture.size
        channels = picture.channels
        shape = (channels, height, width) if data_format == FIRST else (height, width, channels)
        out = np.empty(shape, dtype=self.dtype(picture))
        self.into(picture, out, data_format=data_format)
        return out
