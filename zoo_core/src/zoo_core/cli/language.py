"""What the commands that run a model share: their options, and loading it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from zoo_core.errors import GenerationError, ZooError

_SETTINGS = ("max_new_tokens", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "num_beams")


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Options that say which model runs, and where."""
    parser.add_argument("model", metavar="MODEL", help="folder, or id on the Hub")
    parser.add_argument("--dtype", default="auto", help="auto (the checkpoint's own), float32, bfloat16, ...")
    parser.add_argument("--device", default="cpu", help="cpu, cuda:0, auto, ...")


def add_writing_options(parser: argparse.ArgumentParser, *, max_new_tokens: int | None) -> None:
    """Options that say how a model writes; ``max_new_tokens=None`` leaves the length to the checkpoint."""
    parser.add_argument("--max-new-tokens", type=int, default=max_new_tokens, metavar="N")
    parser.add_argument("--sample", action="store_true", help="draw tokens; implied by the three below")
    parser.add_argument("--temperature", type=float, metavar="T")
    parser.add_argument("--top-k", type=int, metavar="K")
    parser.add_argument("--top-p", type=float, metavar="P")
    parser.add_argument("--min-p", type=float, metavar="P")
    parser.add_argument("--repetition-penalty", type=float, metavar="R")
    parser.add_argument("--seed", type=int, help="makes drawn answers repeatable")


def add_options(parser: argparse.ArgumentParser, *, max_new_tokens: int) -> None:
    """Options that say which model writes, and how."""
    add_model_options(parser)
    add_writing_options(parser, max_new_tokens=max_new_tokens)


def load(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """The tokenizer and the model of `arguments.model`."""
    from zoo_core import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    config = AutoConfig.from_pretrained(arguments.model)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    return tokenizer, place(auto.from_pretrained, arguments)


def place(load: Callable[..., Any], arguments: argparse.Namespace, **keywords: Any) -> Any:
    """What ``load`` makes of the model, the dtype and the device of the command line; seeds what is drawn."""
    try:
        made = load(arguments.model, dtype=arguments.dtype, device_map=arguments.device, **keywords)
    except ZooError:
        raise
    except ValueError as error:  # a dtype or device that is none
        raise GenerationError(str(error)) from error
    if getattr(arguments, "seed", None) is not None:
        import torch

        torch.manual_seed(arguments.seed)
    return made


def settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Keywords of `generate`; what the command line leaves open is the model's own business."""
    found = {name: getattr(arguments, name, None) for name in _SETTINGS}
    found = {name: value for name, value in found.items() if value is not None}
    if arguments.sample or {"temperature", "top_k", "top_p", "min_p"} & found.keys():
        found["do_sample"] = True
    return found
