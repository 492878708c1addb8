"""The command in this process, and the plugins that the tests of the registry write."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo_core.cli.terminal import Terminal

_spec = importlib.util.spec_from_file_location(
    "registry_fixtures", Path(__file__).parents[1] / "registry" / "conftest.py"
)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
registry, distribution = _module.registry, _module.distribution


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Terminal, io.StringIO]]:
    """A terminal of the given width and what is written to it."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def screen(width: int = 80) -> tuple[Terminal, io.StringIO]:
        monkeypatch.setenv("COLUMNS", str(width))
        stream = Screen()
        return Terminal(stream), stream

    return screen


@pytest.fixture
def zoo(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command; returns what it printed, or what it complained about when it failed."""
    from zoo_core.cli import main

    def zoo(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        found = main(words)
        printed = capsys.readouterr()
        assert found == status, printed
        return printed.err if status == 2 else printed.out

    return zoo
