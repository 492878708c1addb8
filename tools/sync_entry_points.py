"""Write what the four first-party packages advertise: their entry_points.txt and zoo-core's table of them.

Architectures are the ``Architecture`` records in the ``__init__.py`` files of ``zoo_<x>/src``; components
stand in ``zoo_<x>/src/zoo_<x>/components.py`` as ``COMPONENTS: dict[str, str]``. Both are strings only, so
running this imports no torch.

    python tools/sync_entry_points.py             write the files
    python tools/sync_entry_points.py --install   write them, then refresh the installed metadata
    python tools/sync_entry_points.py --check     change nothing; exit 1 when something is stale or wrong
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal")
TABLE = Path("zoo_core/src/zoo_core/registry/first_party.json")

sys.path.insert(0, str(ROOT / "zoo_core" / "src"))

from zoo_core.architecture import ARCHITECTURES_GROUP, COMPONENTS_GROUP, Architecture  # noqa: E402
from zoo_core.registry import references, validation  # noqa: E402

Advertised = dict[str, dict[str, str]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="exit 1 when a file is stale; write nothing")
    action.add_argument("--install", action="store_true", help="also run pip install -e on the packages")
    parser.add_argument("--root", type=Path, default=ROOT, help="the workspace (default: this one)")
    arguments = parser.parse_args()

    root: Path = arguments.root
    sys.path[:0] = [str(root / package / "src") for package in PACKAGES]

    advertised = {package: collect(root, package) for package in PACKAGES}
    faults = list(find_faults(root, advertised))
    if faults:
        print("\n".join(faults), file=sys.stderr)
    wanted = render(advertised)
    stale = [path for path, text in wanted.items() if _read(root / path) != text]
    if arguments.check:
        if stale:
            print("stale: " + ", ".join(map(str, stale)), file=sys.stderr)
            print("run: python tools/sync_entry_points.py --install", file=sys.stderr)
        return int(bool(stale or faults))
    for path in stale:
        (root / path).write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path}")
    if arguments.install:
        install(root)
    return int(bool(faults))


def collect(root: Path, package: str) -> Advertised:
    """Group to name to value, for one package."""
    records = {record.model_type: where for where, record in find_records(root, package)}
    components: dict[str, str] = {}
    if (root / package / "src" / package / "components.py").exists():
        components = dict(importlib.import_module(f"{package}.components").COMPONENTS)
    return {ARCHITECTURES_GROUP: records, COMPONENTS_GROUP: components}


def find_records(root: Path, package: str) -> Iterator[tuple[str, Architecture]]:
    """("module:NAME", record) for every record that an ``__init__.py`` of ``package`` holds."""
    source = root / package / "src"
    for path in sorted((source / package).rglob("__init__.py")):
        if "Architecture(" not in path.read_text(encoding="utf-8"):
            continue
        module = importlib.import_module(".".join(path.parent.relative_to(source).parts))
        for name, value in vars(module).items():
            if isinstance(value, Architecture):
                yield f"{module.__name__}:{name}", value


def find_faults(root: Path, advertised: Mapping[str, Advertised]) -> Iterator[str]:
    """Names that stand twice, malformed records, and references to classes that are not there."""
    for group in (ARCHITECTURES_GROUP, COMPONENTS_GROUP):
        owners: dict[str, str] = {}
        for package, groups in advertised.items():
            for name, value in groups[group].items():
                if name in owners:
                    yield f"{name!r} is advertised by {owners[name]} and by {package} ({value})"
                owners[name] = package
    for package in advertised:
        seen: dict[str, str] = {}
        for where, record in find_records(root, package):
            if record.model_type in seen:
                yield f"{record.model_type!r} stands at {seen[record.model_type]} and at {where}"
            seen[record.model_type] = where
            if fault := validation.fault(record, record.model_type):
                yield f"{where}: {fault}"
            else:
                yield from (
                    f"{where}: {fault}"
                    for reference in references_in(record)
                    if (fault := missing(root, reference))
                )
        for name, value in advertised[package][COMPONENTS_GROUP].items():
            if fault := missing(root, value):
                yield f"{package}.components, {name!r}: {fault}"


def references_in(record: Architecture) -> Iterator[str]:
    """Every reference in ``record``."""
    fields = (
        record.config,
        record.tokenizer,
        record.image_processor,
        record.feature_extractor,
        record.video_processor,
        record.processor,
        *record.models.values(),
    )
    for value in fields:
        yield from (value,) if isinstance(value, str) else value or ()


def missing(root: Path, reference: str) -> str | None:
    """What is wrong with ``reference`` as the source files show it, read without running them."""
    try:
        module, attribute = references.parse(reference)
    except ValueError as error:
        return str(error)
    package = module.partition(".")[0]
    if package != "zoo_core" and package not in PACKAGES:
        return f"{reference} lies outside the workspace"
    home = ROOT if package == "zoo_core" else root
    stem = home / package / "src" / Path(*module.split("."))
    path = next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)
    if path is None:
        return f"{reference}: there is no module {module}"
    if attribute not in top_level_names(path):
        return f"{reference}: {path.relative_to(home)} has no {attribute}"
    return None


@cache
def top_level_names(path: Path) -> frozenset[str]:
    """The names that a module defines or imports, as its text shows them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Dict):  # lazy exports: {"Name": "module"}
            names.update(
                key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )
    return frozenset(names)


def render(advertised: Mapping[str, Advertised]) -> dict[Path, str]:
    """Path in the workspace to the text that belongs there."""
    files = {}
    table = {}
    for package, groups in advertised.items():
        sections = (
            "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in sorted(entries.items()))])
            for group, entries in groups.items()
        )
        files[Path(package, "entry_points.txt")] = "\n\n".join(sections) + "\n"
        table[package.replace("_", "-")] = {
            "architectures": sorted(groups[ARCHITECTURES_GROUP]),
            "components": sorted(groups[COMPONENTS_GROUP]),
        }
    files[TABLE] = json.dumps(table, indent=1) + "\n"
    return files


def install(root: Path) -> None:
    """Make the installed metadata say what the files say."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, *(part for package in PACKAGES for part in ("-e", str(root / package)))], check=True
    )


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
