"""The command itself: help, errors, exit statuses, and what starting it costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from zoo_core import __version__
from zoo_core.cli import COMMANDS, main
from zoo_core.errors import ZooError

HEAVY = ("torch", "numpy", "huggingface_hub", "tokenizers", "jinja2", "safetensors", "zoo_text", "zoo_vision")


def fresh(*words: str, status: int = 0) -> list[str]:
    """Run the command in a new process; the modules that it imported."""
    code = (
        "import sys\nfrom zoo_core.cli import main\n"
        f"try: status = main({list(words)!r})\nexcept SystemExit as stop: status = stop.code or 0\n"
        "print('\\n' + ' '.join(sys.modules))\nsys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["list", "components"], ["list", "distributions"]]
)
def test_starting_imports_nothing_heavy(words: list[str]) -> None:
    assert not set(HEAVY) & set(fresh(*words))


def test_help_imports_no_command() -> None:
    modules = fresh("--help")
    assert not {command.module for command in COMMANDS.values()} & set(modules)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert f"zoo {command}" in shown
    assert COMMANDS[command].summary in _help(capsys)


def _help(capsys) -> str:
    with pytest.raises(SystemExit):
        main(["--help"])
    return re.sub(r"\s+", " ", capsys.readouterr().out)


def test_without_a_command_the_help_is_shown(zoo, capsys) -> None:
    assert main([]) == 2
    assert "doctor" in capsys.readouterr().out


def test_an_unknown_command_names_those_that_exist(capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["lsit"])
    assert stop.value.code == 2
    assert "invalid choice: 'lsit'" in capsys.readouterr().err


def test_version(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"zoo-core {__version__}\n"


def test_an_error_is_one_readable_line(zoo) -> None:
    message = zoo("info", "/no/such/folder", status=2)
    assert message.startswith("zoo: ") and "/no/such/folder" in message
    assert "Traceback" not in message and message.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["--debug", "info", "/no/such/folder"], ["info", "/no/such/folder", "--debug"]]
)
def test_debug_shows_where_an_error_came_from(words: list[str]) -> None:
    with pytest.raises((ZooError, OSError)):
        main(words)


def test_a_closed_pipe_is_no_error() -> None:
    code = "import sys; from zoo_core.cli import main; sys.exit(main(['list', 'components', '--json']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()  # type: ignore[union-attr]
    assert process.wait(30) == 0
    assert process.stderr.read() == ""  # type: ignore[union-attr]
    process.stderr.close()  # type: ignore[union-attr]


def test_the_installed_script_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zoo_core.cli", "list", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), list)
