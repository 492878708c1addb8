"""What a load did, for the caller and for the reader of a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]


@dataclass
class LoadReport:
    """The result of a load; names as they are in files."""

    missing_keys: list[str] = field(default_factory=list)
    """In the model, in no file; initialised instead."""
    unexpected_keys: list[str] = field(default_factory=list)
    """In a file, in no place of the model."""
    mismatched_keys: list[tuple[str, Shape, Shape]] = field(default_factory=list)
    """Name, shape in the file, shape in the model; initialised instead, by request."""
    error_msgs: list[str] = field(default_factory=list)
    initialised: dict[str, str] = field(default_factory=dict)
    """Each tensor that no file brought, and what gave it its values."""
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds by stage."""

    def loading_info(self) -> dict[str, Any]:
        """The dictionary that ``output_loading_info=True`` returns."""
        return {
            "missing_keys": list(self.missing_keys),
            "unexpected_keys": list(self.unexpected_keys),
            "mismatched_keys": [name for name, _, _ in self.mismatched_keys],
            "error_msgs": list(self.error_msgs),
        }

    def summary(self, model: str, source: str) -> str:
        """All that a user should know, once and grouped; empty when there is nothing to tell."""
        parts = []
        if self.missing_keys:
            how = (
                grouped(self.initialised.items())
                if self.initialised
                else grouped((n, "") for n in self.missing_keys)
            )
            parts.append(
                f"{len(self.missing_keys)} weights are not in the checkpoint and are newly initialised; "
                f"train the model before using what depends on them:\n{how}"
            )
        if self.mismatched_keys:
            rows = ((n, f"{list(f)} in the file, {list(m)} in the model") for n, f, m in self.mismatched_keys)
            parts.append(
                f"{len(self.mismatched_keys)} weights of other shapes are newly initialised:\n{grouped(rows)}"
            )
        if self.unexpected_keys:
            rows = ((name, "") for name in self.unexpected_keys)
            parts.append(
                f"{len(self.unexpected_keys)} weights of the checkpoint are not used; that is as it should "
                f"be when it was saved with another head:\n{grouped(rows)}"
            )
        return "\n".join((f"{model} from {source}:", *parts)) if parts else ""


def grouped(rows: Iterable[tuple[str, str]], *, limit: int = 20) -> str:
    """One line for the names that differ in numbers alone and say the same: ``layers.{0-11}.x: why``."""
    groups: dict[tuple[tuple[str, ...], str], list[tuple[int, ...]]] = {}
    for name, text in rows:
        parts = name.split(".")
        numbers = tuple(int(p) for p in parts if p.isdecimal())
        key = tuple("#" if p.isdecimal() else p for p in parts)
        groups.setdefault((key, text), []).append(numbers)
    lines = []
    for (key, text), found in groups.items():
        columns = iter(zip(*found, strict=True))
        name = ".".join(_span(next(columns)) if part == "#" else part for part in key)
        lines.append(f"  {name}" + (f": {text}" if text else ""))
    rest = len(lines) - limit
    return "\n".join(lines[:limit] + ([f"  and {rest} more"] if rest > 0 else []))


def _span(numbers: Iterable[int]) -> str:
    distinct = sorted(set(numbers))
    if len(distinct) == 1:
        return str(distinct[0])
    if distinct[-1] - distinct[0] == len(distinct) - 1:
        return f"{{{distinct[0]}-{distinct[-1]}}}"
    return f"{{{','.join(map(str, distinct[:6]))}{',...' if len(distinct) > 6 else ''}}}"


def mismatch_message(model: str, source: str, rows: Mapping[str, tuple[Shape, Shape]]) -> str:
    """The text of the error for shapes that do not fit."""
    lines = grouped((name, f"{list(f)} in the file, {list(m)} in the model") for name, (f, m) in rows.items())
    return (
        f"{len(rows)} weights of {source} have other shapes than {model}:\n{lines}\n"
        "The config is not that of the checkpoint. Correct its sizes, or pass ignore_mismatched_sizes=True "
        "to initialise these weights anew."
    )
