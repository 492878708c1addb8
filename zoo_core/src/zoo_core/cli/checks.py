"""What ``zoo doctor`` looks at. A check returns a section of findings; ``SECTIONS`` is the static table."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from zoo_core import registry
from zoo_core.errors import ZooError
from zoo_core.registry import scan

Status = Literal["ok", "note", "warning", "error"]

SECTIONS: tuple[str, ...] = (
    "zoo_core.cli.checks:environment",
    "zoo_core.cli.checks:requirements",
    "zoo_core.cli.checks:plugins",
    "zoo_core.cli.checks:settings",
    "zoo_core.cli.checks:download_cache",
    "zoo_core.remote.doctor:sandbox",
)
"""``module:function``, each called without arguments and returning a ``Section``, in order of appearance."""

_SETTINGS = ("ZOO_", "HF_HUB_", "HF_HOME", "HF_ENDPOINT", "HF_TOKEN", "TRANSFORMERS_OFFLINE")
_SECRET = ("TOKEN",)


@dataclass(frozen=True)
class Finding:
    """One line: how serious it is, what it is about, what was seen, and what to do when it is wrong."""

    status: Status
    subject: str
    detail: str


@dataclass(frozen=True)
class Section:
    """A title and its findings."""

    title: str
    findings: list[Finding] = field(default_factory=list)


def environment() -> Section:
    """The interpreter and the machine."""
    where = "a virtual environment" if sys.prefix != sys.base_prefix else "no virtual environment"
    implementation = f"{platform.python_implementation()} {platform.python_version()}"
    return Section(
        "Environment",
        [
            Finding("ok", "python", f"{implementation}, {sys.executable} ({where})"),
            Finding("ok", "platform", f"{platform.platform()}, {os.cpu_count()} cores"),
        ],
    )


def requirements() -> Section:
    """Every requirement of the zoo's own distributions against what is installed; nothing is imported."""
    from packaging.requirements import InvalidRequirement, Requirement

    findings: dict[str, Finding] = {}
    optional: dict[str, Finding] = {}
    for distribution in ("zoo-core", *registry.distributions()):
        for line in _requires(distribution):
            try:
                requirement = Requirement(line)
            except InvalidRequirement as error:
                findings[line] = Finding(
                    "warning", distribution, f"declares the unreadable {line!r}: {error}"
                )
                continue
            name, marker = requirement.name, requirement.marker
            if marker is None or marker.evaluate({"extra": ""}):
                finding = _installed(name, str(requirement.specifier), distribution)
                if name not in findings or finding.status != "ok":
                    findings[name] = finding
            elif extra := next((e for e in _extras(distribution) if marker.evaluate({"extra": e})), None):
                version = _version(name)
                wanted = f"not installed; for pip install '{distribution}[{extra}]'"
                optional[name] = Finding("ok" if version else "note", name, version or wanted)
    return Section(
        "Requirements", [*findings.values(), *(f for n, f in optional.items() if n not in findings)]
    )


def plugins() -> Section:
    """What the installed plugins provide, and everything that is wrong with them."""
    counts = {kind: registry.providers(kind) for kind in ("architectures", "components", "extensions")}
    findings = []
    for name, version in registry.distributions().items():
        provided = [
            f"{number} {kind.removesuffix('s') if number == 1 else kind}"
            for kind, table in counts.items()
            if (number := sum(name == item.distribution for offered in table.values() for item in offered))
        ]
        findings.append(Finding("ok", f"{name} {version}", ", ".join(provided) or "nothing that can be used"))
    if not findings:
        findings.append(
            Finding("warning", "none", "no architecture is installed; pip install zoo-text is a beginning")
        )
    findings += [found for name in registry.distributions() if (found := _out_of_date(name))]
    for problem in registry.problems():
        status: Status = "warning" if problem.kind == "setting" else "error"
        subject = f"{problem.kind} {problem.name}".strip()
        findings.append(Finding(status, subject, problem.message))
    return Section("Plugins", findings)


def deep() -> Section:
    """Import every class that any plugin advertises: slow, and the only proof that all of them can be."""
    failures = list(_import_failures())
    if failures:
        return Section("Advertised classes", failures)
    return Section("Advertised classes", [Finding("ok", "imports", "every advertised class can be imported")])


def settings() -> Section:
    """Environment variables that change what the zoo does."""
    findings = []
    for name in sorted(os.environ):
        if name.startswith(_SETTINGS):
            secret = any(part in name for part in _SECRET)
            findings.append(Finding("note", name, "(set, not shown)" if secret else os.environ[name]))
    return Section("Settings", findings or [Finding("ok", "variables", "none that concern the zoo")])


def download_cache() -> Section:
    """Whether downloads can be stored."""
    from zoo_core.hub.environment import cache_folder, offline

    folder = cache_folder()
    existing = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    if not os.access(existing, os.W_OK):
        finding = Finding(
            "error", "folder", f"{folder} cannot be written; set HF_HUB_CACHE to a folder that can"
        )
    else:
        finding = Finding(
            "ok", "folder", f"{folder} ({'exists' if folder.exists() else 'made on first use'})"
        )
    mode = "offline: only what is cached loads" if offline() else "online: downloads are allowed"
    return Section("Hub", [finding, Finding("note", "mode", mode)])


def _out_of_date(distribution: str) -> Finding | None:
    """Editable installs alone: entry points were added to the source since, and are not seen yet."""
    try:
        installed = metadata.distribution(distribution)
        origin = json.loads(installed.read_text("direct_url.json") or "{}")
        source = Path(url2pathname(urlsplit(origin["url"]).path))
        if not origin["dir_info"]["editable"]:
            return None
        declared = {*scan.lines((source / "entry_points.txt").read_text(encoding="utf-8"))}
    except (metadata.PackageNotFoundError, OSError, ValueError, LookupError, TypeError):
        return None  # not editable, or made in another way
    if declared == {*scan.lines(installed.read_text("entry_points.txt") or "")}:
        return None
    return Finding(
        "warning",
        f"{distribution} out of date",
        f"its entry points changed after it was installed: pip install -e {source}",
    )


def _requires(distribution: str) -> list[str]:
    try:
        return metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []


def _extras(distribution: str) -> list[str]:
    return metadata.metadata(distribution).get_all("Provides-Extra") or []


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _installed(name: str, specifier: str, wanted_by: str) -> Finding:
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    version = _version(name)
    wanted = f"{name}{specifier}"
    if version is None:
        return Finding("error", name, f"missing; {wanted_by} needs {wanted}: pip install '{wanted}'")
    try:
        fits = SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidVersion:
        return Finding("warning", name, f"{version} is no version that {wanted} can be compared with")
    if not fits:
        return Finding("error", name, f"{version}; {wanted_by} needs {wanted}: pip install '{wanted}'")
    return Finding("ok", name, version)


def _import_failures() -> Iterator[Finding]:
    for model_type in registry.names():
        try:
            found = registry.get(model_type)
            candidates = [c for auto in found.auto_classes() for c in found.candidates(auto)]
        except ZooError:
            continue  # among the problems of the plugins already
        for candidate in candidates:
            try:
                candidate.load()
            except ZooError as error:
                yield Finding("error", f"{model_type}: {candidate.reference}", str(error))
    for name in registry.providers("components"):
        try:
            registry.component(name)
        except ZooError as error:
            yield Finding("error", name, str(error))
