"""Checking JSON-like values against type annotations.

A checkpoint's config.json is written by many tools, so a few spellings of one value are accepted:
an int where a float is wanted (kept as it is), an integral float where an int is wanted, 0 and 1 where
a bool is wanted, lists for tuples and tuples for lists, string keys for integer keys. Nothing else is
converted, and a bool is never a number.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

Converter = Callable[[Any], Any]

INTEGER_LIMIT = 2**63
"""Integers at or beyond this magnitude fit no tensor and no counter."""


class Mismatch(ValueError):
    """A value does not fit its annotation; the message is the rule it broke."""


def convert(annotation: Any, value: Any) -> Any:
    """``value`` in the form that ``annotation`` asks for; raises `Mismatch` when it has none."""
    return _converter(annotation, False)(value)


@cache
def _converter(annotation: Any, strict: bool) -> Converter:
    """The check for one annotation. ``strict`` admits only values that need no conversion."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _union(args, annotation)
    if origin is Literal:
        return _literal(args, annotation)
    kind = origin or annotation
    if kind in _SCALARS:
        return _scalar(kind, strict, annotation)
    if kind in (list, Sequence):
        return _list(args, strict, annotation)
    if kind is tuple:
        return _tuple(args, strict, annotation)
    if kind in (dict, Mapping):
        return _dict(args, strict, annotation)
    if isinstance(kind, type) and kind not in (Any, object):
        return _instance(kind, annotation)
    return lambda value: value


def _fail(annotation: Any) -> Mismatch:
    return Mismatch(f"must be {describe(annotation)}")


def _scalar(kind: Any, strict: bool, annotation: Any) -> Converter:
    accept, adapt = _SCALARS[kind]

    def check(value: Any) -> Any:
        if accept(value):
            return value
        if not strict:
            adapted = adapt(value)
            if adapted is not None:
                return adapted
        raise _fail(annotation)

    return check


def _is_float(value: Any) -> bool:
    return isinstance(value, float) and not math.isnan(value)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < INTEGER_LIMIT


def _int_from(value: Any) -> int | None:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53 else None


def _float_from(value: Any) -> int | None:
    return value if _is_int(value) else None


def _bool_from(value: Any) -> bool | None:
    return bool(value) if _is_int(value) and value in (0, 1) else None


_SCALARS: dict[Any, tuple[Callable[[Any], bool], Callable[[Any], Any]]] = {
    int: (_is_int, _int_from),
    float: (_is_float, _float_from),
    bool: (lambda value: isinstance(value, bool), _bool_from),
    str: (lambda value: isinstance(value, str), lambda value: None),
    type(None): (lambda value: value is None, lambda value: None),
    None: (lambda value: value is None, lambda value: None),
}


def _union(args: tuple[Any, ...], annotation: Any) -> Converter:
    attempts = [_converter(arg, strict) for strict in (True, False) for arg in args]

    def check(value: Any) -> Any:
        for attempt in attempts:
            try:
                return attempt(value)
            except Mismatch:
                continue
        raise _fail(annotation)

    return check


def _literal(choices: tuple[Any, ...], annotation: Any) -> Converter:
    def check(value: Any) -> Any:
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return value
        raise _fail(annotation)

    return check


def _list(args: tuple[Any, ...], strict: bool, annotation: Any) -> Converter:
    item = _converter(args[0], strict) if args else None

    def check(value: Any) -> Any:
        if not isinstance(value, list if strict else (list, tuple)):
            raise _fail(annotation)
        return _items(value, [item] * len(value), annotation) if item else list(value)

    return check


def _tuple(args: tuple[Any, ...], strict: bool, annotation: Any) -> Converter:
    variadic = len(args) == 2 and args[1] is Ellipsis
    fixed = [_converter(arg, strict) for arg in args if arg is not Ellipsis]

    def check(value: Any) -> Any:
        if not isinstance(value, tuple if strict else (list, tuple)):
            raise _fail(annotation)
        if not args:
            return tuple(value)
        if not variadic and len(value) != len(fixed):
            raise _fail(annotation)
        return tuple(_items(value, fixed * len(value) if variadic else fixed, annotation))

    return check


def _items(value: Sequence[Any], converters: Sequence[Converter], annotation: Any) -> list[Any]:
    result = []
    for index, (item, one) in enumerate(zip(value, converters, strict=True)):
        try:
            result.append(one(item))
        except Mismatch as error:
            raise Mismatch(f"must be {describe(annotation)}; item {index} {error}") from None
    return result


def _dict(args: tuple[Any, ...], strict: bool, annotation: Any) -> Converter:
    if not args:
        return _instance(dict, annotation)
    key_type, value_type = args
    one = _converter(value_type, strict)

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _fail(annotation)
        result = {}
        for key, item in value.items():
            try:
                result[_key(key_type, key)] = one(item)
            except Mismatch as error:
                raise Mismatch(f"must be {describe(annotation)}; entry {key!r:.40} {error}") from None
        return result

    return check


def _key(annotation: Any, key: Any) -> Any:
    """JSON object keys are strings: an integer key arrives as its decimal spelling."""
    if annotation is int and isinstance(key, str):
        try:
            return int(key)
        except ValueError:
            raise Mismatch("must have an integer key") from None
    return convert(annotation, key)


def _instance(kind: type, annotation: Any) -> Converter:
    def check(value: Any) -> Any:
        if not isinstance(value, kind):
            raise _fail(annotation)
        return value

    return check


_NAMES = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "a string",
    dict: "an object",
    type(None): "null",
    None: "null",
}
_PLURALS = {int: "integers", float: "numbers", bool: "booleans", str: "strings", dict: "objects"}


def describe(annotation: Any) -> str:
    """An annotation in the words of an error message: ``int | None`` is "an integer or null"."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(describe(arg) for arg in args))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, args))
    if origin in (list, Sequence) or (origin is tuple and len(args) == 2 and args[1] is Ellipsis):
        return f"a list of {_PLURALS.get(args[0]) or f'items that are each {describe(args[0])}'}"
    if origin is tuple:
        return f"a list of {len(args)} items ({', '.join(describe(arg) for arg in args)})"
    if origin in (dict, Mapping):
        return f"an object whose values are each {describe(args[1])}"
    if annotation in (list, tuple):
        return "a list"
    return _NAMES.get(annotation) or str(getattr(annotation, "__name__", annotation))
