"""Fixtures for the sandbox: a private trust folder and repositories on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from zoo_core.remote.sources import SourceBundle, folder_reader, read_bundle

REPOSITORIES = Path(__file__).parent / "repositories"
COMMIT, CONFIG_COMMIT = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def trust_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trust folder of the test's own, and a working folder without a project lock."""
    home = tmp_path / "trust-home"
    monkeypatch.setenv("ZOO_TRUST_HOME", str(home))
    monkeypatch.delenv("ZOO_TRUST_LOCK", raising=False)
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def write_repo(tmp_path: Path) -> Callable[..., Path]:
    """Writes files into a folder of the test and returns the folder."""

    def write(files: Mapping[str, str | bytes], name: str = "repo") -> Path:
        root = tmp_path / name
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return write


@pytest.fixture
def bundle(write_repo: Callable[..., Path]) -> Callable[..., SourceBundle]:
    """Reads the bundle of ``modeling.py`` from files given inline."""

    def read(
        files: Mapping[str, str | bytes],
        *,
        entry: str = "modeling.py",
        repo: str = "org/name",
        commit: str | None = "a" * 40,
        name: str = "repo",
    ) -> SourceBundle:
        return read_bundle(folder_reader(write_repo(files, name)), entry, repo=repo, commit=commit)

    return read


@pytest.fixture
def hub(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Puts a repository into a hub cache; returns the keywords with which to load it, offline."""

    def put(name: str, commit: str, source: Path | None = None) -> None:
        root = tmp_path / "cache" / f"models--zoo-tests--{name.replace('_', '-')}"
        shutil.copytree(source or REPOSITORIES / name, root / "snapshots" / commit)
        (root / "refs").mkdir()
        (root / "refs" / "main").write_text(commit)

    def make(name: str, source: Path | None = None) -> dict[str, Any]:
        put(name, COMMIT, source)
        if (
            name == "tiny_split"
            and not (tmp_path / "cache" / "models--zoo-tests--tiny-split-config").exists()
        ):
            put("tiny_split_config", CONFIG_COMMIT)
        return {
            "pretrained_model_name_or_path": f"zoo-tests/{name.replace('_', '-')}",
            "cache_dir": tmp_path / "cache",
            "local_files_only": True,
            "trust_remote_code": True,
        }

    return make
