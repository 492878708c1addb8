"""Do one task with a model; inputs are files, or texts (``-`` is standard input, ``@FILE`` what a file says).

    zoo run classify MODEL cat.jpg dog.jpg
    zoo run detect MODEL street.jpg --output found/
    zoo run detect MODEL street.jpg --labels "a red car,a bicycle"
    zoo run ask MODEL invoice.png --question "What is the total?"
    zoo run transcribe MODEL talk.wav --language en --timestamps
    zoo run translate MODEL "Hello." --from en --to fr
    zoo run embed MODEL "a text" picture.png --json

``zoo run TASK --help`` shows what a task understands. With --json there is one JSON object a line, in the
order of the inputs. An input that cannot be taken is named, and the others go on: the exit status is then 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo_core.cli import language
from zoo_core.cli.tasks import TASKS
from zoo_core.cli.terminal import Terminal
from zoo_core.errors import ZooError

if TYPE_CHECKING:
    from zoo_core.cli.tasks.base import Task


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo run``, a parser a task."""
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name, entry in TASKS.items():
        added = tasks.add_parser(name, help=entry.summary, description=entry.summary)
        language.add_model_options(added)
        added.add_argument("inputs", nargs="+", metavar="INPUT", help="file or text; -, or @FILE")
        added.add_argument("--json", action="store_true", help="one JSON object a line")
        task = entry.load()
        if task.writes:
            added.add_argument(
                "--output",
                type=Path,
                default=Path(),
                metavar="FOLDER",
                help="for what is written (default .)",
            )
            added.add_argument("--overwrite", action="store_true", help="replace files that exist")
        task.add_options(added)


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Load once, answer input by input; 1 when an input could not be taken."""
    import torch

    task = TASKS[arguments.task].load()(arguments)
    complaints = Terminal(sys.stderr)
    failed = 0
    for item in _with_progress(arguments.inputs):
        try:
            with torch.inference_mode():
                answer = task.answer(item)
        except (ZooError, OSError) as error:
            if arguments.debug or len(arguments.inputs) == 1:
                raise
            failed += 1
            complaints.line(f"zoo: {item}: {error}")
            if arguments.json:
                terminal.line(json.dumps({"input": item, "error": str(error)}))
            continue
        _write(item, answer, task, terminal)
    return int(failed > 0)


def _write(item: str, answer: dict[str, Any], task: Task, terminal: Terminal) -> None:
    if task.arguments.json:
        terminal.line(json.dumps({"input": item, **answer}))
    else:
        if len(task.arguments.inputs) > 1:
            terminal.heading(item)
        task.show(answer, terminal)
    terminal.stream.flush()


def _with_progress(items: list[str]) -> Iterator[str]:
    """The inputs, with a bar where a person waits for several."""
    if len(items) == 1 or not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, unit="input", leave=False)
