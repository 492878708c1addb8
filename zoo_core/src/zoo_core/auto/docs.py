"""Docstrings of the Auto classes, made when they are read: their tables come from the registry."""

from __future__ import annotations

from typing import Any

_HOW = {
    "model": (
        "`from_pretrained` loads a checkpoint and returns the model in evaluation mode; `from_config` builds "
        "one with random weights. The class itself cannot be constructed."
    ),
    "other": "`from_pretrained` loads it. The class itself cannot be constructed.",
}


class LiveDoc:
    """The ``__doc__`` of an Auto class: its summary and a table of what it can build at this moment."""

    def __init__(self, summary: str, *, kind: str = "other") -> None:
        self.summary = summary
        self.kind = kind

    def __get__(self, instance: object, owner: type[Any]) -> str:
        return f"{self.summary}\n\n{_HOW[self.kind]}\n\n{model_table(owner.__name__)}"


def model_table(auto_class: str) -> str:
    """One line for each model type that ``auto_class`` serves: the type, its classes, who provides them."""
    from zoo_core import registry
    from zoo_core.errors import RegistryError

    try:
        rows = registry.table(auto_class)
    except RegistryError as error:
        return f"Model types: the registry cannot be read ({error})"
    if not rows:
        return "Model types: none; no installed package serves this class."
    width = max(map(len, rows))
    lines = [f"    {name:<{width}}  {_classes(row)}" for name, row in sorted(rows.items())]
    return "Model types, from the installed packages:\n\n" + "\n".join(lines)


def _classes(row: Any) -> str:
    provider = f"({row.distribution} {row.version})".replace(" )", ")")
    if row.error:
        return f"not usable {provider}: {row.error}"
    return " or ".join(reference.partition(":")[2] for reference in row.references) + f" {provider}"
