"""Continue a prompt from standard input, or answer it where the model has an encoder.

    echo "Once upon a time" | zoo generate MODEL
    zoo generate MODEL --lines < prompts.txt      a prompt and an answer a line
    zoo generate MODEL --num-beams 4 --seed 1 --temperature 0.7 < prompt.txt

The text goes to standard output, as it is written where that is possible, and nothing else does.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from zoo_core.cli import language
from zoo_core.cli.terminal import clean
from zoo_core.errors import GenerationError

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo generate``."""
    language.add_options(parser, max_new_tokens=100)
    parser.add_argument("--num-beams", type=int, metavar="N", help="search with N beams")
    parser.add_argument("--stop", action="append", metavar="TEXT", help="end where this text appears")
    parser.add_argument(
        "--with-prompt", action="store_true", help="repeat the prompt before its continuation"
    )
    parser.add_argument(
        "--lines", action="store_true", help="read a prompt a line and write an answer a line"
    )


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Read, generate, write."""
    text = sys.stdin.read()
    prompts = text.splitlines() if arguments.lines else [text.rstrip("\n")]
    if not any(prompts):
        raise GenerationError(
            "there is no prompt on standard input: echo 'Once upon a time' | zoo generate MODEL"
        )
    tokenizer, model = language.load(arguments)
    for prompt in prompts:
        answer = _answer(prompt, tokenizer, model, arguments)
        if arguments.lines:
            answer = " ".join(answer.split("\n"))
        terminal.stream.write(clean(answer) + "\n")
        terminal.stream.flush()
    return 0


def _answer(prompt: str, tokenizer: Any, model: Any, arguments: argparse.Namespace) -> str:
    inputs = tokenizer(prompt, return_tensors="pt").to(model.device)
    inputs.pop("token_type_ids", None)
    options = language.settings(arguments)
    if arguments.stop:
        options.update(stop_strings=arguments.stop, tokenizer=tokenizer)
    ids = model.generate(**inputs, **options)[0]
    start = 0 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    answer: str = tokenizer.decode(ids[start:], skip_special_tokens=True)
    return prompt + answer if arguments.with_prompt else answer
