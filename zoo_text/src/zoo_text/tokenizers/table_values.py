"""Numbers and dates in the texts of a table: what TAPAS compares (https://arxiv.org/abs/2004.02349)."""

from __future__ import annotations

import datetime
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

Date = tuple[int | None, int | None, int | None]
"""Year, month and day, None for what a text leaves out."""
Value = float | Date
Span = tuple[int, int]

YEARS = range(1700, 2017)
SHARE = 0.7
"""The share of a column's cells that must hold a value of one kind for the column to have values."""

_NUMBER = re.compile(r"(?:(?:^|\s)[+-])?(?:\.\d+|\d+(?:,\d{3})*(?:\.\d*)?)")
_WORD = re.compile(r"[^\W_]+")
_NAMED = {
    name: float(number)
    for number, names in enumerate(
        (
            *(("zero", "zeroth"), ("one", "first"), ("two", "second"), ("three", "third")),
            *(("four", "fourth"), ("five", "fifth"), ("six", "sixth"), ("seven", "seventh")),
            *(("eight", "eighth"), ("nine", "ninth"), ("ten", "tenth"), ("eleven", "eleventh")),
            ("twelve", "twelfth"),
        )
    )
    for name in names
}

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NUMBERED = {name: i for i, month in enumerate(_MONTHS, start=1) for name in (month, month[:3])}
_PARTS = {
    "Y": r"(?P<year>\d{4})",
    "m": r"(?P<month>\d{1,2})",
    "d": r"(?P<day>\d{1,2})",
    "B": f"(?P<name>{'|'.join(_MONTHS)})",
    "M": f"(?P<name>{'|'.join(_NUMBERED)})",
    ".": r"\.",
    "A": "(?:mon|tues|wednes|thurs|fri|satur|sun)day",
}
_DATES = [
    re.compile(re.sub("[YmdBMA.]", lambda part: _PARTS[part[0]], form))
    for form in (
        *("B", "Y", "Ys", "M Y", "M d", "d M", "A, M d", "M d, Y", "d M Y"),
        *("Y-m", "Y-m-d", "m-d-Y", "d.m.Y"),
    )
]
_LONGEST_DATE = 5  # words


def find_values(text: str) -> list[Value]:
    """All numbers and dates of a text, in its order; what lies within a longer one does not count."""
    text = " ".join(text.lower().split())
    found: dict[Span, list[Value]] = {}
    for match in _NUMBER.finditer(text):
        _note(found, match.span(), _number(match[0].replace(",", "")))
    words = [match.span() for match in _WORD.finditer(text)]
    for span in words:
        if span not in found:
            word = text[slice(*span)]
            _note(found, span, _number(re.sub("(?:st|nd|rd|th)$", "", word)))
            _note(found, span, _NAMED.get(word))
    for first, (start, _) in enumerate(words):
        for _, end in words[first : first + _LONGEST_DATE]:
            _note(found, (start, end), _date(text[start:end]))
    kept = [span for span in found if not any(_within(span, other) for other in found)]
    return list(chain.from_iterable(found[span] for span in sorted(kept)))


def _note(found: dict[Span, list[Value]], span: Span, value: Value | None) -> None:
    if value is not None:
        found.setdefault(span, []).append(value)


def _within(span: Span, other: Span) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(text: str) -> Date | None:
    for form in _DATES:
        if match := form.fullmatch(text):
            parts = match.groupdict()
            name = parts.get("name")
            month = _NUMBERED[name] if name else _int(parts.get("month"))
            year, day = _int(parts.get("year")), _int(parts.get("day"))
            if (year is None or year in YEARS) and _is_day(year, month, day):
                return year, month, day
    return None


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)


def _is_day(year: int | None, month: int | None, day: int | None) -> bool:
    """Whether there is such a day; a date without a year is one of 1900."""
    try:
        datetime.date(
            1900 if year is None else year, 1 if month is None else month, 1 if day is None else day
        )
    except ValueError:
        return False
    return True


def column_values(cells: Sequence[str]) -> dict[int, Value]:
    """The value of each row of a column that has one, all numbers or all dates; empty for other columns."""
    found = [find_values(cell) for cell in cells]
    kinds = Counter(kind for values in found for kind in {type(value) for value in values})
    most = max(kinds.values(), default=0)
    if not most or most < SHARE * len(cells):
        return {}
    kind = tuple if kinds[tuple] == most else float
    first = ((row, [v for v in values if isinstance(v, kind)]) for row, values in enumerate(found))
    return {row: values[0] for row, values in first if values}


def sort_key(values: Iterable[Value]) -> Callable[[Any], Any] | None:
    """What values of one kind are compared by: numbers, or the parts that all dates have; else None."""
    values = list(values)
    if len({type(value) for value in values}) != 1:
        return None
    if isinstance(values[0], float):
        return float
    common = [i for i in range(3) if all(value[i] is not None for value in values)]  # type: ignore[index]
    return (lambda date: tuple(date[i] for i in common)) if common else None


def ranks(values: Mapping[int, Value]) -> dict[int, tuple[int, int]]:
    """For each row its value's rank from the lowest and from the highest, from 1; equal values share one."""
    key = sort_key(values.values())
    if key is None:
        return {}
    order = {value: rank for rank, value in enumerate(sorted({key(v) for v in values.values()}))}
    return {row: (order[key(v)] + 1, len(order) - order[key(v)]) for row, v in values.items()}


def relations(asked: Iterable[Value], values: Mapping[int, Value]) -> dict[int, int]:
    """For each row the bits 1, 2 and 4, where a value of the question is equal, smaller or larger."""
    bits: dict[int, int] = {}
    for row, bit in _compared(asked, values):
        bits[row] = bits.get(row, 0) | bit
    return bits


def _compared(asked: Iterable[Value], values: Mapping[int, Value]) -> Iterator[tuple[int, int]]:
    for value in asked:
        key = sort_key([*values.values(), value])
        if key is not None:
            for row, other in values.items():
                one, two = key(value), key(other)
                yield row, 1 if one == two else 2 if one < two else 4
