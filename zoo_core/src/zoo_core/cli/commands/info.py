"""What a checkpoint is and what would load it, without loading it; exit status 1 when nothing would.

zoo info ./my-model
zoo info sentence-transformers/all-MiniLM-L6-v2 --revision main
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from zoo_core.cli.inspection import Report, Weights, inspect
from zoo_core.cli.terminal import Terminal, quantity, size
from zoo_core.hub import HubOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
}
_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo info``."""
    parser.add_argument("model", metavar="MODEL", help="a folder, or a repository id on the hub")
    parser.add_argument("--revision", default="main", help="branch, tag or commit (default main)")
    parser.add_argument("--subfolder", default="", help="folder inside the repository")
    parser.add_argument("--cache-dir", help="folder of the download cache")
    parser.add_argument("--offline", action="store_true", help="ask only the cache")
    parser.add_argument("--json", action="store_true", help="one JSON object, the whole config in it")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Print the report; 1 when no installed package provides the architecture."""
    options = HubOptions(
        revision=arguments.revision,
        subfolder=arguments.subfolder,
        cache_dir=arguments.cache_dir,
        local_files_only=arguments.offline,
    )
    report = inspect(arguments.model, options)
    if arguments.json:
        terminal.line(json.dumps(asdict(report) | {"loadable": report.loadable}, indent=1, default=str))
    else:
        _show(report, terminal)
    return 0 if report.loadable else 1


def _show(report: Report, terminal: Terminal) -> None:
    terminal.heading(report.name + (f" at {report.commit[:12]}" if report.commit else ""))
    terminal.table([*_identity(report), *_weight_rows(report.weights)])
    if report.auto_classes:
        terminal.heading(f"Loaded by {report.distribution} {report.version}")
        builders = report.builders()
        rows = [
            (terminal.style(auto, "bold") if auto in builders else auto, ", ".join(classes))
            for auto, classes in report.auto_classes.items()
        ]
        terminal.table(rows)
        if report.architectures:
            named = ", ".join(report.architectures)
            loaders = ", ".join(builders) if builders else "no installed Auto class builds it"
            terminal.line()
            terminal.paragraph(f"The checkpoint was saved from {named}: {loaders}.")
    if report.served:
        terminal.heading("Around the model")
        terminal.table(
            [
                (
                    item.role,
                    item.name,
                    item.distribution or terminal.style("no installed package provides it", "yellow"),
                )
                for item in report.served
            ]
        )
    if report.remote_code:
        terminal.heading("Code in the repository")
        terminal.table(list(report.remote_code.items()))
        needed = "not needed" if report.loadable else "needed: trust_remote_code=True runs it in the sandbox"
        terminal.line()
        terminal.paragraph(f"It is {needed}.")
    if report.missing:
        terminal.heading("Missing")
        for item in report.missing:
            terminal.paragraph(f"{terminal.symbol('error')} {item}")


def _identity(report: Report) -> Iterator[tuple[str, str]]:
    yield "model type", report.model_type or "unknown"
    if report.architectures:
        yield "saved from", ", ".join(report.architectures)
    if sizes := [f"{key}={report.config[key]}" for key in _SIZES if isinstance(report.config.get(key), int)]:
        yield "sizes", ", ".join(sizes)
    dtype = report.config.get("dtype", report.config.get("torch_dtype"))
    if isinstance(dtype, str):
        yield "config dtype", dtype
    quantization = report.config.get("quantization_config")
    if isinstance(quantization, dict):
        yield "quantised with", str(quantization.get("quant_method", "an unnamed method"))


def _weight_rows(weights: Weights | None) -> Iterator[tuple[str, str]]:
    if weights is None:
        yield "weights", "none"
        return
    files = weights.files[0] if len(weights.files) == 1 else f"{len(weights.files)} files"
    held = f", {size(weights.bytes)}" if weights.bytes is not None else ""
    yield "weights", f"{weights.format}: {files}{held}"
    if weights.parameters:
        dtypes = [
            f"{quantity(count)} {_DTYPES.get(code, code)}" for code, count in weights.parameters.items()
        ]
        total = sum(weights.parameters.values())
        yield "parameters", f"{total:,} in {weights.tensors:,} tensors ({', '.join(dtypes)})"
    if weights.unread:
        yield "", f"not counted: {weights.unread}"
