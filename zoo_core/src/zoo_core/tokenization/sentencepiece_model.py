"""Reading a sentencepiece ``.model`` file: a protobuf message of which a vocabulary needs five fields.

Format: sentencepiece_model.proto (pieces = 1: piece 1, score 2, type 3; trainer_spec = 2: model_type 3,
byte_fallback 35; normalizer_spec = 3: precompiled_charsmap 2, add_dummy_prefix 3,
remove_extra_whitespaces 4), in protobuf's wire format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from zoo_core.errors import TokenizerError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
UNIGRAM, BPE, WORD, CHAR = 1, 2, 3, 4

_MAX_BYTES = 1 << 28
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class SentencePieceModel:
    """Pieces with their scores, in the order of their ids, and how text is normalised first."""

    pieces: list[tuple[str, float]]
    types: list[int]
    model_type: int
    charsmap: bytes
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool

    def __len__(self) -> int:
        return len(self.pieces)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Piece to id, the first of equal pieces counting."""
        found: dict[str, int] = {}
        for index, (piece, _) in enumerate(self.pieces):
            found.setdefault(piece, index)
        return found

    @property
    def unk_id(self) -> int:
        return self.types.index(UNKNOWN) if UNKNOWN in self.types else 0

    @property
    def has_bytes(self) -> bool:
        return BYTE in self.types

    def of_type(self, *types: int) -> list[int]:
        """Ids of the pieces of these types."""
        return [index for index, kind in enumerate(self.types) if kind in types]

    def merges(self) -> list[tuple[str, str]]:
        """The merges that give each piece, best score first; equal scores in the order of the parts' ids."""
        ids = self.ids
        found = []
        for piece, score in self.pieces:
            local = []
            for cut in range(1, len(piece)):
                left, right = piece[:cut], piece[cut:]
                if left in ids and right in ids:
                    local.append((left, right, score))
            found += sorted(local, key=lambda merge: (ids[merge[0]], ids[merge[1]]))
        found.sort(key=lambda merge: merge[2], reverse=True)
        return [(left, right) for left, right, _ in found]


def read_sentencepiece(path: str | Path) -> SentencePieceModel:
    """The model in a ``.model`` file. Raises TokenizerError for a file that holds anything else."""
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise TokenizerError(
                f"{path} is larger than a sentencepiece model may be ({_MAX_BYTES:,} bytes)."
            )
        data = path.read_bytes()
    except OSError as error:
        raise TokenizerError(f"{path} cannot be read: {error}") from error
    try:
        return _read_model(data)
    except (ValueError, IndexError, UnicodeDecodeError, struct.error, TypeError) as error:
        raise TokenizerError(f"{path} is not a sentencepiece model: {error}") from error


def _read_model(data: bytes) -> SentencePieceModel:
    pieces: list[tuple[str, float]] = []
    types: list[int] = []
    model_type, charsmap, prefix, extra = UNIGRAM, b"", True, True
    for number, value in _fields(data):
        if number == 1:
            piece = dict(_fields(_as_bytes(value)))
            pieces.append((_as_bytes(piece[1]).decode("utf-8"), _as_float(piece.get(2, b"\0\0\0\0"))))
            types.append(_as_int(piece.get(3, NORMAL)))
        elif number == 2:
            model_type = _as_int(dict(_fields(_as_bytes(value))).get(3, UNIGRAM))
        elif number == 3:
            spec = dict(_fields(_as_bytes(value)))
            charsmap = _as_bytes(spec.get(2, b""))
            prefix = bool(_as_int(spec.get(3, 1)))
            extra = bool(_as_int(spec.get(4, 1)))
    if not pieces:
        raise ValueError("it has no pieces")
    return SentencePieceModel(pieces, types, model_type, charsmap, prefix, extra)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and raw values of one message."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = _varint(data, position)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind} at byte {position}")
        if position + size > len(data):
            raise ValueError(f"a field at byte {position} is longer than the file")
        yield number, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError(f"a number is cut off at byte {position}")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7


def _as_bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number stands where bytes belong")
    return value


def _as_int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("bytes stand where a number belongs")
    return value


def _as_float(value: int | bytes) -> float:
    return float(struct.unpack("<f", _as_bytes(value))[0])
