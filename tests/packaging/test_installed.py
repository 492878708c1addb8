"""The installed packages, run by an interpreter that sees nothing but them and the standard library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def python(target: Path, code: str, *, status: int = 0) -> str:
    """Run ``code`` with ``target`` as the only place of packages: no site-packages, no torch, no numpy."""
    prelude = f"import sys; sys.path.insert(0, {str(target)!r})\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + code], capture_output=True, text=True, cwd=target
    )
    assert done.returncode == status, done.stderr
    return done.stdout


def zoo(target: Path, *words: str, status: int = 0) -> str:
    """Run the ``zoo`` command of ``target``."""
    return python(target, f"from zoo_core.cli import main; sys.exit(main({list(words)!r}))", status=status)


def test_core_alone_starts_without_any_dependency(installed: dict[str, Path]) -> None:
    target = installed["zoo_core"]
    assert python(target, "import zoo_core; print(zoo_core.__file__)").startswith(str(target))
    assert "0 model types" in zoo(target, "list")
    assert zoo(target, "--version").startswith("zoo-core ")


def test_core_alone_says_what_is_missing(installed: dict[str, Path]) -> None:
    target = installed["zoo_core"]
    code = "from zoo_core import registry\ntry: registry.get('bert')\nexcept Exception as e: print(e)"
    assert "pip install zoo-text" in python(target, code)


def test_all_five_advertise_what_their_sources_say(installed: dict[str, Path]) -> None:
    target = installed["all"]
    rows = json.loads(zoo(target, "list", "--json"))
    assert not [row for row in rows if "error" in row]
    assert {"bert"} <= {row["name"] for row in rows if row["distribution"] == "zoo-text"}


def test_a_package_without_architectures_is_still_importable(installed: dict[str, Path]) -> None:
    for package in ("zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal"):
        python(installed["all"], f"import {package}")


@pytest.mark.parametrize("package", ["zoo_core", "zoo_text"])
def test_pip_builds_and_installs_a_source_folder(package: str, distributions: Path, tmp_path: Path) -> None:
    source = distributions.parent / "source" / package
    options = ["-q", "--no-deps", "--no-build-isolation", "--target", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, f"./{package}"],
        cwd=source.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / package / "py.typed").exists()
