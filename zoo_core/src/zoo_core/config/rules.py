"""Rules that the numbers of a config obey, whatever the architecture.

They keep a hostile or damaged config.json from costing memory or time: a model of a billion layers is
refused before anything is built.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from zoo_core.errors import ConfigError

_LIMITS = (
    (re.compile(r"layers?$|blocks?$|^depths?$|^n_layer"), 10_000),
    (re.compile(r"heads?$|^n_head|experts?$|_groups$|channels$"), 1_000_000),
    (re.compile(r"_(size|dim|width|rank|positions|position_embeddings|length)$|^(num|n|d)_|^vocab"), 2**40),
)
"""Names of counts and sizes, with the largest value that is still a size: the first match holds."""

_MATRIX_LIMIT = 2**42
"""Elements of one weight: 4 trillion is beyond any checkpoint."""

_MATRICES = (
    ("vocab_size", "hidden_size"),
    ("hidden_size", "intermediate_size"),
    ("hidden_size", "hidden_size"),
)

RELATED = (
    "hidden_size", "intermediate_size", "vocab_size", "num_attention_heads", "num_key_value_heads",
    "num_hidden_layers", "layer_types",
)  # fmt: skip
"""Fields of which `relations` asks."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80
_short.maxlong = 40


class Problem(NamedTuple):
    """One field that broke one rule."""

    field: str
    value: Any
    rule: str

    def __str__(self) -> str:
        return f"{self.field} = {_short.repr(self.value):.160}: {self.rule}"


def fail(class_name: str, problems: Iterable[Problem], *, source: str | None = None) -> ConfigError:
    """One error that lists every problem, with the file they were read from."""
    found = tuple(problems)
    where = f" from {source}" if source else ""
    count = "a problem" if len(found) == 1 else f"{len(found)} problems"
    lines = "".join(f"\n  {problem}" for problem in found)
    return ConfigError(f"{class_name}{where} has {count}:{lines}", class_name=class_name, problems=found)


def bounds(name: str, value: Any, default: Any) -> str | None:
    """The rule that a count or size breaks, or None. A negative default marks a negative as meaningful."""
    limit = next((limit for pattern, limit in _LIMITS if pattern.search(name)), None)
    if limit is None:
        return None
    defaults = default if isinstance(default, list | tuple) else (default,)
    may_be_negative = any(isinstance(number, int) and number < 0 for number in defaults)
    for number in value if isinstance(value, list | tuple) else (value,):
        if not isinstance(number, int) or isinstance(number, bool):
            continue
        if number < 0 and not may_be_negative:
            return "must not be negative"
        if number > limit:
            return f"must be at most {limit}"
    return None


def relations(values: Mapping[str, Any], *, heads_divide_width: bool) -> Iterator[Problem]:
    """Rules between conventional sizes; ``values`` holds those that have the right type."""
    width, heads = values.get("hidden_size"), values.get("num_attention_heads")
    kv_heads = values.get("num_key_value_heads")
    if isinstance(heads, int):
        if heads == 0 and isinstance(width, int):
            yield Problem("num_attention_heads", heads, "must be at least 1")
        elif heads_divide_width and isinstance(width, int) and width % heads:
            yield Problem("num_attention_heads", heads, f"must divide hidden_size, which is {width}")
        if isinstance(kv_heads, int) and (kv_heads == 0 or heads % kv_heads):
            yield Problem(
                "num_key_value_heads", kv_heads, f"must divide num_attention_heads, which is {heads}"
            )
    kinds, layers = values.get("layer_types"), values.get("num_hidden_layers")
    if isinstance(kinds, list) and isinstance(layers, int) and len(kinds) < layers:
        yield Problem(
            "layer_types", kinds, f"must have an entry for each layer; num_hidden_layers is {layers}"
        )
    for rows, columns in _MATRICES:
        first, second = values.get(rows), values.get(columns)
        if isinstance(first, int) and isinstance(second, int) and first * second > _MATRIX_LIMIT:
            yield Problem(
                rows, first, f"with {columns} = {second} makes a weight of more than {_MATRIX_LIMIT} elements"
            )
