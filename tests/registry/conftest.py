"""The distributions under tests/plugins, really installed, and interpreters that see them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from filelock import FileLock

PLUGINS = Path(__file__).parents[1] / "plugins"
NAMES = ("good", "conflicting", "broken", "future", "head")


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
