"""Whatever a caller may hand over as sound, as a list of checked waveforms."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo_audio.features.files import read_sound
from zoo_audio.features.resample import SHORT, Sinc, resample
from zoo_core.errors import ProcessingError


def is_source(value: Any) -> bool:
    """Whether `value` names or holds a sound file."""
    return isinstance(value, (str, bytes, os.PathLike))


def split_batch(raw: Any, channels: int) -> list[Any]:
    """The single items of a batch; one sound alone is a batch of one."""
    if is_source(raw) or isinstance(raw, dict):
        return [raw]
    if isinstance(raw, (list, tuple)):
        if not raw:
            raise ProcessingError("there is no audio: the list is empty")
        return [raw] if isinstance(raw[0], (int, float, np.number)) else list(raw)
    dims = getattr(raw, "ndim", None)
    if dims is None:
        raise ProcessingError(f"audio must be an array, a tensor, a list or a file, got {type(raw).__name__}")
    # Two dimensions are a batch of mono sounds, or one sound of several channels.
    return [raw] if dims <= (2 if channels > 1 else 1) else list(raw)


def waveform(
    item: Any, *, channels: int, rate: int, given_rate: int | None, convert: bool, sinc: Sinc = SHORT
) -> Tensor:
    """One sound: (samples,) float32, or (channels, samples) where there are several.

    Raises:
        ProcessingError: not numbers, another shape, nothing in it, NaN or infinity, or another rate.
    """
    if isinstance(item, dict):  # as data sets hold sounds
        given_rate = item.get("sampling_rate", given_rate)
        item = item.get("array", item.get("raw", item.get("path")))
    if is_source(item):
        item, given_rate = read_sound(Path(item) if isinstance(item, str) else item)
    if isinstance(item, Tensor):
        values = item.detach()
    else:
        array = np.asarray(item)
        if array.dtype.kind not in "fiu" or not array.ndim:
            raise ProcessingError(f"audio must be numbers, got {array.dtype} of shape {array.shape}")
        values = torch.from_numpy(np.ascontiguousarray(array))
    wave = arranged(values.to(torch.float32), channels)
    if wave.shape[-1] == 0:
        raise ProcessingError("the audio is empty")
    if not wave.sum().isfinite() and not wave.isfinite().all():  # the sum alone may overflow
        raise ProcessingError("the audio holds NaN or infinity")
    if given_rate is not None and given_rate != rate:
        if not convert:
            raise ProcessingError(
                f"the audio was sampled at {given_rate} Hz, this model takes {rate} Hz; pass resample=True "
                f"to have it converted, or convert it and pass sampling_rate={rate}"
            )
        wave = resample(wave, given_rate, rate, sinc=sinc)
    return wave


def arranged(values: Tensor, channels: int) -> Tensor:
    """(samples,) or (channels, samples), from either order of the two dimensions."""
    if channels == 1:
        if values.ndim == 2 and 1 in values.shape:
            values = values.reshape(-1)
        if values.ndim != 1:
            raise ProcessingError(f"only mono-channel audio is taken, (samples,), got {tuple(values.shape)}")
        return values
    if values.ndim != 2 or channels not in values.shape:
        raise ProcessingError(f"expected ({channels}, samples), got {tuple(values.shape)}")
    return values if values.shape[0] == channels else values.T


def waveforms(
    raw: Any,
    *,
    channels: int,
    rate: int,
    sampling_rate: int | None,
    convert: bool = False,
    sinc: Sinc = SHORT,
) -> list[Tensor]:
    """All sounds of a call.

    Args:
        raw: an array or tensor (samples,), a batch (batch, samples), a list of these or of numbers, paths
            or bytes of sound files, mappings with "array" and "sampling_rate".
        channels: 1, or how many each sound has. rate: what the model takes, in Hz.
        sampling_rate: what the arrays have; None trusts that it is `rate`.
        convert: resample what differs, by `sinc`.

    Raises:
        ProcessingError: see `waveform`; the message begins with the item's place in the batch.
    """
    items: Sequence[Any] = split_batch(raw, channels)
    found = []
    for index, item in enumerate(items):
        try:
            found.append(
                waveform(
                    item, channels=channels, rate=rate, given_rate=sampling_rate, convert=convert, sinc=sinc
                )
            )
        except ProcessingError as error:
            raise ProcessingError(f"item {index} of {len(items)}: {error}") from None
    return found
