"""The command in this process, and a stream that is a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from zoo_core.cli.terminal import Terminal


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
