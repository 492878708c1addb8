"""Show what is installed: model types, Auto classes, distributions or class names.

zoo list                                 every model type, who provides it and what serves it
zoo list --auto AutoModelForCausalLM     what one Auto class builds, type by type
zoo list --from zoo-text 'bert*'         model types of one distribution that match a pattern
zoo list auto                            every Auto class and how many model types it serves
zoo list distributions                   every distribution that advertises something
zoo list components                      class names that may stand in JSON files
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from zoo_core import registry
from zoo_core.cli.terminal import Terminal
from zoo_core.errors import RegistryError

Rows = list[dict[str, Any]]
_WRAPPED_ROWS = 10
"""Longer tables get one line a row in a terminal, the last column cut."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo list``."""
    parser.add_argument(
        "what", nargs="?", metavar="WHAT", help="models (default), " + ", ".join([*_VIEWS][1:])
    )
    parser.add_argument("pattern", nargs="?", help="only names that match, e.g. 'bert*'")
    parser.add_argument("--auto", metavar="CLASS", help="only what this Auto class serves, with its classes")
    parser.add_argument(
        "--from", dest="distribution", metavar="DIST", help="only what this distribution provides"
    )
    parser.add_argument("--json", action="store_true", help="one JSON array")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Print one view; 0 also when nothing matches."""
    what, pattern = arguments.what or "models", arguments.pattern
    if what not in _VIEWS:  # `zoo list 'bert*'`
        what, pattern = "models", what
    rows = _VIEWS[what](arguments)
    if pattern:
        rows = [row for row in rows if _matches(row["name"], pattern)]
    if arguments.distribution:
        rows = [row for row in rows if arguments.distribution in row["distribution"].split(" or ")]
    if arguments.json:
        terminal.line(json.dumps(rows, indent=1))
        return 0
    _show(rows, terminal)
    terminal.line()
    terminal.line(terminal.style(_summary(what, rows), "dim"))
    return 0


def _models(arguments: argparse.Namespace) -> Rows:
    if arguments.auto:
        return [
            {"name": name, "distribution": row.distribution, "version": row.version}
            | ({"error": row.error} if row.error else {"classes": [_class_name(r) for r in row.references]})
            for name, row in registry.table(arguments.auto).items()
        ]
    return [_model(name, offered) for name, offered in _offered().items()]


def _model(name: str, distributions: list[registry.Provided]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name}
    try:
        found = registry.get(name)
    except RegistryError as error:
        row["distribution"] = " or ".join(item.distribution for item in distributions)
        row["version"] = " or ".join(item.version for item in distributions)
        return row | {"error": str(error)}
    row |= {"distribution": found.distribution, "version": found.version}
    return row | {"classes": list(found.auto_classes())}


def _auto(arguments: argparse.Namespace) -> Rows:
    del arguments
    rows = []
    for name in registry.auto_classes():
        served = [row for row in registry.table(name).values() if not row.error]
        distributions = _joined(row.distribution for row in served)
        rows.append({"name": name, "distribution": distributions, "model_types": len(served)})
    return rows


def _distributions(arguments: argparse.Namespace) -> Rows:
    del arguments
    counts = {kind: _count(registry.providers(kind)) for kind in _KINDS}
    return [
        {"name": name, "distribution": name, "version": version}
        | {kind: counts[kind].get(name, 0) for kind in _KINDS}
        for name, version in registry.distributions().items()
    ]


def _components(arguments: argparse.Namespace) -> Rows:
    del arguments
    return [
        {
            "name": name,
            "distribution": " or ".join(item.distribution for item in offered),
            "classes": [item.value for item in offered],
        }
        for name, offered in registry.providers("components").items()
    ]


_KINDS = ("architectures", "components", "extensions")
_VIEWS: Mapping[str, Callable[[argparse.Namespace], Rows]] = {
    "models": _models,
    "auto": _auto,
    "distributions": _distributions,
    "components": _components,
}


def _offered() -> dict[str, list[registry.Provided]]:
    """Model types with whoever advertises them, those registered in this process included."""
    advertised = registry.providers()
    return {name: advertised.get(name, []) for name in registry.names()}


def _count(table: Mapping[str, list[registry.Provided]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for offered in table.values():
        for item in offered:
            counts[item.distribution] = counts.get(item.distribution, 0) + 1
    return counts


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name.lower(), pattern.lower()) or pattern.lower() in name.lower()


def _class_name(reference: str) -> str:
    return reference.rpartition(":")[2]


def _joined(names: Iterable[str]) -> str:
    return " or ".join(sorted(set(names)))


def _show(rows: Rows, terminal: Terminal) -> None:
    if not rows:
        return
    columns = [key for key in rows[0] if key not in ("classes", "error")]
    if rows[0]["name"] == rows[0].get("distribution"):
        columns.remove("distribution")
    numbers = [i for i, key in enumerate(columns) if isinstance(rows[0][key], int)]
    last = any("classes" in row or "error" in row for row in rows)
    lines = []
    for row in rows:
        line = [terminal.style(row["name"], "bold"), *(row[key] for key in columns[1:])]
        if last:
            line.append(_last_cell(row, terminal))
        lines.append(line)
    headers = [key.replace("_", " ") for key in columns] + (["classes"] if last else [])
    terminal.table(lines, headers=headers, right=numbers, one_line=len(rows) > _WRAPPED_ROWS)


def _last_cell(row: Mapping[str, Any], terminal: Terminal) -> str:
    if "error" in row:
        return terminal.style(row["error"], "red")
    return ", ".join(_short(name) for name in row["classes"] if name != "AutoConfig")


def _short(name: str) -> str:
    """Tables say ``CausalLM`` for ``AutoModelForCausalLM``; JSON has the whole name."""
    return name.removeprefix("AutoModelFor") or name


def _summary(what: str, rows: Rows) -> str:
    noun = {"models": "model type", "auto": "Auto class", "components": "class name"}.get(
        what, "distribution"
    )
    plural = noun if len(rows) == 1 else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    broken = sum("error" in row for row in rows)
    return f"{len(rows)} {plural}" + (f", {broken} of them cannot be used: zoo doctor" if broken else "")
