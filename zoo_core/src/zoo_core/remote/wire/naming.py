"""What a model's parts say about their names in files, as plain data and back.

Parts that an installed package provides (a BERT inside of a repository's model) keep their own names inside
and others in files. The worker tells the program the tables; the program, which reads and writes the files,
checks them and hangs them into its tree, where the planner finds them as in any model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from torch import nn

from zoo_core.checkpoint.ops import Fused, Op, Permuted, Reshaped, Split, Stacked, Transposed
from zoo_core.remote.wire.frames import ProtocolError

_OPS: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (Fused, Permuted, Reshaped, Split, Stacked, Transposed)
}
_PATH: Final = re.compile(r"|(?:\w+|\*)(?:\.(?:\w+|\*)){0,63}", re.ASCII)
_PATTERN: Final = re.compile(r"[\w.*^$]{0,500}", re.ASCII)
_MOST_STARS: Final = 4
_MOST_STACKED: Final = 1 << 14
_MOST_DEPTH: Final = 8
_MOST_SIZE: Final = 1 << 46
_MOST_DIMENSIONS: Final = 16


def encode_tables(model: nn.Module) -> dict[str, Any]:
    """``tables``, each different one once, and ``places``: the paths of parts with the number of theirs."""
    tables: list[dict[str, Any]] = []
    places: dict[str, int] = {}
    for path, part in model.named_modules():
        names, ignored = getattr(part, "hub_names", None), getattr(part, "ignored_names", None)
        names = names if isinstance(names, Mapping) else {}
        table = {
            "names": [[_plain(key), _plain(value)] for key, value in names.items()],
            "ignored": [str(item) for item in ignored] if isinstance(ignored, tuple) else [],
        }
        if any(table.values()):
            if table not in tables:
                tables.append(table)
            places[path] = tables.index(table)
    return {"tables": tables, "places": places}


def _plain(value: Any) -> Any:
    if not isinstance(value, Op):
        return list(value) if isinstance(value, tuple) else value
    settings = {name: _plain(item) for name, item in vars(value).items() if name != "sources"}
    return {"op": type(value).__name__, "sources": [_plain(item) for item in value.sources], **settings}


def decode_tables(
    value: Any, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[dict[Any, Any], tuple[str, ...]]]:
    """For each path of a part its names and the names it ignores. Raises :class:`ProtocolError`.

    ``shapes`` are those of the model's parameters by name: a table must not turn one into countless names.
    """
    if not isinstance(value, dict) or set(value) != {"tables", "places"}:
        raise ProtocolError("names in files without tables and places")
    tables, places = value["tables"], value["places"]
    if not isinstance(tables, list) or not isinstance(places, dict):
        raise ProtocolError("names in files without tables and places")
    read = [_table(item) for item in tables]
    found = {}
    for path, index in places.items():
        if not isinstance(path, str) or type(index) is not int or not 0 <= index < len(read):
            raise ProtocolError("a part whose table of names does not exist")
        _check_stacks(path, read[index][0], shapes)
        found[path] = read[index]
    return found


def _table(value: Any) -> tuple[dict[Any, Any], tuple[str, ...]]:
    if not isinstance(value, dict) or set(value) != {"names", "ignored"}:
        raise ProtocolError("a table of names without its two parts")
    names, ignored = value["names"], value["ignored"]
    if not isinstance(names, list) or not isinstance(ignored, list):
        raise ProtocolError("a table of names that is no list")
    for item in ignored:
        if not isinstance(item, str) or not _PATTERN.fullmatch(item) or item.count("*") > _MOST_STARS:
            raise ProtocolError("a pattern of ignored names that is none")
    found: dict[Any, Any] = {}
    for pair in names:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ProtocolError("a table of names with a broken pair")
        key = tuple(map(_path, pair[0])) if isinstance(pair[0], list) else _path(pair[0])
        found[key] = _source(pair[1], 0)
    return found, tuple(ignored)


def _path(value: Any) -> str:
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise ProtocolError("a name in files that is none")
    return value


def _source(value: Any, depth: int) -> str | Op:
    if not isinstance(value, dict):
        return _path(value)
    kind = _OPS.get(value["op"]) if isinstance(value.get("op"), str) else None
    sources = value.get("sources")
    most = 64 if kind is Split else 1
    if kind is None or depth > _MOST_DEPTH or not isinstance(sources, list) or not 0 < len(sources) <= most:
        raise ProtocolError("an unknown operation on the tensors of files")
    settings = {name: item for name, item in value.items() if name not in ("op", "sources")}
    if not all(_is_setting(name, item) for name, item in settings.items()):
        raise ProtocolError("an operation on the tensors of files with broken settings")
    try:
        made: Op = kind(*(_source(item, depth + 1) for item in sources), **settings)
        return made
    except TypeError:
        raise ProtocolError("an operation on the tensors of files with other settings than it has") from None


def _is_setting(name: str, item: Any) -> bool:
    if name in ("dim", "groups"):
        return type(item) is int and (-_MOST_DIMENSIONS if name == "dim" else 1) <= item <= _MOST_SIZE
    if item is None:
        return name in ("sizes", "view")
    if not isinstance(item, list) or len(item) > 64 or not all(type(x) is int for x in item):
        return False
    if name == "dims":
        return all(abs(x) <= _MOST_DIMENSIONS for x in item)
    return all(x == -1 or 0 < x <= _MOST_SIZE for x in item)


def _check_stacks(path: str, names: Mapping[Any, str | Op], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """A stack makes a name of each row of a tensor: only experts are stacked, never a vocabulary."""
    for key, value in names.items():
        if not _stacks(value):
            continue
        for member in (key,) if isinstance(key, str) else key:
            body = re.escape(f"{path}.{member}" if path else member).replace(r"\*", "[^.]+")
            covered = re.compile(rf"{body}(?:\..*)?")
            if any(shape and shape[0] > _MOST_STACKED for n, shape in shapes.items() if covered.fullmatch(n)):
                raise ProtocolError("a stack of too many tensors")


def _stacks(value: str | Op | Iterable[str]) -> bool:
    return isinstance(value, Stacked) or (isinstance(value, Op) and any(map(_stacks, value.sources)))
