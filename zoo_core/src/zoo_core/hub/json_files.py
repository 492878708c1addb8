"""JSON objects from files nobody vouches for."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from zoo_core.errors import MalformedFile

MAX_JSON_BYTES = 64 * 2**20


def read_json_file(path: Path, *, name: str | None = None, max_bytes: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """The JSON object in ``path``; ``name`` is what messages call it.

    Raises MalformedFile for a file over ``max_bytes``, bytes that are not UTF-8, text that is not JSON, a
    value that is not an object, and nesting beyond what the parser can hold. NaN and Infinity are read:
    real configurations have them. A repeated key keeps its last value, with a warning.
    """
    name = name or str(path)
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise MalformedFile(
            f"{name} is larger than {max_bytes:,} bytes, the limit for a JSON file of a checkpoint."
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedFile(
            f"{name} is not UTF-8: byte {data[error.start]:#04x} at offset {error.start}. JSON is UTF-8 text."
        ) from error
    repeated: list[str] = []
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, repeated))
    except json.JSONDecodeError as error:
        raise MalformedFile(
            f"{name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise MalformedFile(f"{name} is nested too deeply to be read.") from error
    except ValueError as error:  # an integer of thousands of digits
        raise MalformedFile(f"{name} is not usable JSON: {error}.") from error
    if not isinstance(value, dict):
        raise MalformedFile(f"{name} holds a JSON {_kind(value)}, where an object {{...}} is required.")
    if repeated:
        warnings.warn(
            f"{name} repeats the key {', '.join(map(repr, sorted(set(repeated))))}: the last value counts.",
            stacklevel=2,
        )
    return value


def _object(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        repeated += [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    return value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "null" if value is None else "string" if isinstance(value, str) else "array"
