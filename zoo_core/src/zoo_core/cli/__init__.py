"""The ``zoo`` command: one file per command, found in a static table, imported when it is called.

A command's module has a docstring (its ``--help``) and two functions::

    def configure(parser: argparse.ArgumentParser) -> None: ...
    def run(arguments: argparse.Namespace, terminal: Terminal) -> int: ...  # the exit status
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

from zoo_core import __version__
from zoo_core.cli.terminal import Terminal
from zoo_core.errors import ZooError

USAGE_ERROR = 2
INTERRUPTED = 130


class Command(NamedTuple):
    """Where a command lives and its line in ``zoo --help``."""

    module: str
    summary: str


COMMANDS: Mapping[str, Command] = {
    "list": Command("zoo_core.cli.commands.list", "model types, Auto classes, distributions and class names"),
    "info": Command("zoo_core.cli.commands.info", "what a checkpoint is and what would load it"),
    "doctor": Command("zoo_core.cli.commands.doctor", "check plugins, versions and the environment"),
    "trust": Command("zoo_core.remote.review", "code of repositories: show, compare, approve, forget"),
    "chat": Command("zoo_core.cli.commands.chat", "talk with a model in the terminal"),
    "generate": Command("zoo_core.cli.commands.generate", "continue a prompt from standard input"),
    "run": Command("zoo_core.cli.commands.run", "a task: classify, detect, caption, transcribe, ..."),
    "demo": Command("zoo_core.cli.commands.demo", "load real weights and search a text with them"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a finding, 2 an error that the message explains."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(words)
    if not words:
        parser.print_help()
        return USAGE_ERROR
    arguments = parser.parse_args(words)
    terminal = Terminal(sys.stdout)
    complaints = Terminal(sys.stderr)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complaints.line(f"zoo: warning: {message}")
        try:
            status: int = import_module(COMMANDS[arguments.command].module).run(arguments, terminal)
            sys.stdout.flush()  # so that a closed pipe shows here and not at exit
        except BrokenPipeError:  # `zoo list | head` is no error
            sys.stdout = None  # nothing is left to flush to at exit
            return 0
        except KeyboardInterrupt:
            return INTERRUPTED
        except (ZooError, OSError) as error:
            if arguments.debug:
                raise
            complaints.line(complaints.style("zoo: ", "red", "bold") + str(error))
            return USAGE_ERROR
    return status


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zoo",
        description="A plugin-based model zoo: what is installed, what a checkpoint is, what would load it.",
    )
    parser.add_argument("--version", action="version", version=f"zoo-core {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        added = commands.add_parser(name, help=command.summary, formatter_class=_HelpFormatter)
        added.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if name in words:  # only what may be called is imported
            module = import_module(command.module)
            added.description = module.__doc__
            module.configure(added)
    return parser


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples of a module's docstring as they are written."""
