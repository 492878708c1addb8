"""A registry that starts fresh in every test, and distributions for it to find: real and synthetic."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from filelock import FileLock

from zoo_core import registry as registry_module

PLUGINS = Path(__file__).parents[1] / "plugins"
NAMES = ("good", "conflicting", "broken", "future", "head")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The registry with nothing read, registered or preferred; all is taken back after the test."""
    modules = set(sys.modules)
    for variable in ("ZOO_PREFER", "ZOO_DISABLE"):
        monkeypatch.delenv(variable, raising=False)
    with registry_module.isolated():
        registry_module.clear_cache()
        yield registry_module
    monkeypatch.undo()  # sys.path first, so that the next reader does not see this test's plugins
    registry_module.clear_cache()
    for name in set(sys.modules) - modules:
        if name.partition(".")[0].startswith(("zoo_test_", "plug_")):
            del sys.modules[name]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder with one folder for each plugin under tests/plugins, really built and installed by pip."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "plugins"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _install(folder)
    return folder


def _install(folder: Path) -> None:
    scratch = folder.with_suffix(".scratch")  # setuptools builds beside the sources: not in the tree
    for name in NAMES:
        shutil.copytree(PLUGINS / name, scratch / name)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-index", "--no-deps", "--no-build-isolation", "--no-compile", "--target", "all"]
    subprocess.run([*command, *(f"./{name}" for name in NAMES)], cwd=scratch, check=True)
    for name in NAMES:
        (scratch / "split" / name).mkdir(parents=True)
        for path in (scratch / "all").glob(f"zoo_test_{name}*"):
            path.rename(scratch / "split" / name / path.name)
    (scratch / "split").rename(folder)


@pytest.fixture
def use(installed: Path, registry: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Make the named plugins visible to this process; returns the folders, for a subprocess."""

    def use(*names: str) -> list[str]:
        folders = [str(installed / name) for name in names]
        for folder in folders:
            monkeypatch.syspath_prepend(folder)
        registry.clear_cache()
        return folders

    return use


@pytest.fixture
def distribution(
    tmp_path: Path, registry: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Write a distribution as pip would have left it: metadata, entry points, modules."""

    def distribution(
        name: str,
        version: str = "1.0",
        *,
        architectures: dict[str, str] | None = None,
        components: dict[str, str] | None = None,
        extensions: dict[str, str] | None = None,
        entry_points: str | bytes | None = None,
        requires: tuple[str, ...] = (),
        modules: dict[str, str] | None = None,
        folder: str = "site",
    ) -> Path:
        site = tmp_path / folder
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        info.joinpath("METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {r}" for r in requires)]))
        if entry_points is None:
            groups = {"architectures": architectures, "components": components, "extensions": extensions}
            entry_points = "\n".join(
                "\n".join(
                    [f"[zoo_core.{group}.v1]", *(f"{key} = {value}" for key, value in (table or {}).items())]
                )
                for group, table in groups.items()
            )
        content = entry_points if isinstance(entry_points, bytes) else entry_points.encode()
        info.joinpath("entry_points.txt").write_bytes(content)
        for module, source in (modules or {}).items():
            site.joinpath(f"{module}.py").write_text(source)
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(str(site))
        registry.clear_cache()
        return site

    return distribution


@pytest.fixture
def python() -> Callable[..., str]:
    """Run source in a fresh interpreter that sees the given folders; its standard output."""

    def python(source: str, *folders: str, **environment: str) -> str:
        path = os.pathsep.join(folders)
        found = subprocess.run(
            [sys.executable, "-c", source],
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert found.returncode == 0, found.stderr
        return found.stdout

    return python
