"""Sound files: WAV by ourselves, everything else through soundfile where that is installed."""

from __future__ import annotations

import io
import struct
from os import PathLike
from pathlib import Path

import numpy as np

from zoo_core.errors import MissingDependency, ProcessingError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
LARGEST = 1 << 30
"""Bytes of the largest file that is read: about nine hours of 16 kHz sound."""


def read_sound(source: bytes | PathLike[str]) -> tuple[np.ndarray, int]:
    """Samples between -1 and 1, (samples,) or (samples, channels), float32, and the sampling rate in Hz.

    Raises:
        ProcessingError: a file that is missing, too large, truncated or of an unknown kind.
        MissingDependency: a format other than WAV, and soundfile is not installed.
    """
    if isinstance(source, bytes):
        data, name = source, "the sound"
    else:
        path = Path(source)
        name = str(path)
        if not path.is_file():
            raise ProcessingError(f"there is no sound file {name}")
        if path.stat().st_size > LARGEST:
            raise ProcessingError(f"{name} has {path.stat().st_size} bytes; at most {LARGEST} are read")
        data = path.read_bytes()
    if not data:
        raise ProcessingError(f"{name} has 0 bytes")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return read_wav(data, name)
    try:
        import soundfile  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise MissingDependency(
            f"{name} is not a WAV file; other formats need soundfile: pip install 'zoo-audio[files]'"
        ) from None
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    except RuntimeError as error:
        raise ProcessingError(f"{name} cannot be read as sound: {error}") from None
    return samples, int(rate)


def read_wav(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """See `read_sound`; PCM of 8 to 32 bits and floats of 32 and 64."""
    layout: tuple[int, int, int, int] | None = None
    place = 12
    while place + 8 <= len(data):
        chunk, size = struct.unpack_from("<4sI", data, place)
        place += 8
        if chunk == b"fmt ":
            if size < 16 or place + size > len(data):
                break
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, place)
            if kind == _EXTENSIBLE and size >= 26:
                (kind,) = struct.unpack_from("<H", data, place + 24)
            layout = kind, channels, rate, bits
        elif chunk == b"data" and layout is not None:
            if place + size > len(data) and size < 0xFFFFFFFF:
                raise ProcessingError(
                    f"{name} is truncated: {size} bytes of samples promised, {len(data) - place} there"
                )
            return _samples(data[place : place + size], layout, name), layout[2]
        place += size + size % 2
    raise ProcessingError(f"{name} is not a complete WAV file")


def _samples(raw: bytes, layout: tuple[int, int, int, int], name: str) -> np.ndarray:
    kind, channels, rate, bits = layout
    if channels < 1 or rate < 1:
        raise ProcessingError(f"{name} says {channels} channels at {rate} Hz")
    width = channels * bits // 8
    raw = raw[: len(raw) // width * width] if width else raw
    values: np.ndarray
    if kind == _FLOAT and bits in (32, 64):
        values = np.frombuffer(raw, dtype=f"<f{bits // 8}").astype(np.float32)
    elif kind == _PCM and bits == 8:
        values = (np.frombuffer(raw, dtype=np.uint8).astype(np.float32) - 128) / 128
    elif kind == _PCM and bits == 24:
        parts = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3)
        wide = np.zeros((len(parts), 4), dtype=np.uint8)
        wide[:, 1:] = parts
        values = wide.view("<i4")[:, 0].astype(np.float32) / 2**31
    elif kind == _PCM and bits in (16, 32):
        values = np.frombuffer(raw, dtype=f"<i{bits // 8}").astype(np.float32) / 2 ** (bits - 1)
    else:
        raise ProcessingError(f"{name} holds samples of kind {kind} with {bits} bits; use PCM or float")
    return values if channels == 1 else values.reshape(-1, channels)


def write_wav(path: str | PathLike[str], samples: np.ndarray, rate: int) -> None:
    """Write samples between -1 and 1, (samples,) or (samples, channels), as 16-bit PCM."""
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim not in (1, 2) or not np.isfinite(values).all():
        raise ProcessingError(
            f"samples must be finite, (samples,) or (samples, channels); got {values.shape}"
        )
    channels = 1 if values.ndim == 1 else values.shape[1]
    raw = np.round(np.clip(values, -1, 1) * 32767).astype("<i2").tobytes()
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(raw),
        b"WAVE",
        b"fmt ",
        16,
        _PCM,
        channels,
        rate,
        rate * channels * 2,
        channels * 2,
        16,
        b"data",
        len(raw),
    )
    Path(path).write_bytes(header + raw)
