"""What running code of a repository in the sandbox costs, against the same code in process.

Not a comparison with another library, as none has this: run it by itself, ``python benchmarks/sandbox.py``.
Prints medians, and exits with 1 when a bound is exceeded.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import torch
from harness import Bench
from torch import Tensor

CONFIG = '{"model_type": "bench", "auto_map": {"AutoConfig": "m.Config", "AutoModel": "m.Model"}}'
CODE = """
import torch
from torch import nn
from transformers import PreTrainedModel, PretrainedConfig

class Config(PretrainedConfig):
    model_type = "bench"

class Model(PreTrainedModel):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        self.embed = nn.Embedding(1000, 768)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(768, 12, 3072, dropout=0.0, batch_first=True) for _ in range(2)
        )

    def forward(self, x, kind="embed"):
        if kind == "empty":
            return None
        if kind == "embed":
            return self.embed(x)
        if kind == "copy":
            return x * 1
        for layer in self.layers:
            x = layer(x)
        return x
"""
BOUNDS = {"worker start": 25.0, "small tensor call": 0.6, "12.6 MB in and out": 10.0}
"""Milliseconds: of a start from the zygote, and of the overhead of one call."""


def medians(actions: dict[str, Callable[[], Any]], repeats: int, *, pause: float = 0.0) -> dict[str, float]:
    """Milliseconds of each action, taken in turns, so that a busy machine slows all alike.

    ``pause``: seconds before each, for what an action leaves to the kernel to finish.
    """
    for action in actions.values():
        action()
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            time.sleep(pause)
            started = time.perf_counter()
            action()
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def load(folder: Path) -> tuple[Any, Any]:
    """The model in the sandbox and in process, with the same weights."""
    from zoo_core import AutoConfig, AutoModel
    from zoo_core.errors import UntrustedCode
    from zoo_core.remote import review
    from zoo_core.remote.store import TrustStore

    config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
    inside = AutoModel.from_config(config, trust_remote_code=True)
    saved = folder / "saved"
    inside.save_pretrained(saved)
    inside = AutoModel.from_pretrained(saved, trust_remote_code=True)
    review.approve(TrustStore(), str(saved.resolve()), in_process=True)
    try:
        AutoModel.from_pretrained(saved, trust_remote_code=True, sandbox=False, code_revision="0" * 40)
    except UntrustedCode as error:
        digest = str(error).rsplit(" ", 1)[1]
    outside = AutoModel.from_pretrained(saved, trust_remote_code=True, sandbox=False, code_revision=digest)
    return inside, outside


def start_times() -> dict[str, float]:
    """Milliseconds from the request to a locked-down worker that answers, from a running zygote."""
    from zoo_core.remote.host.process import Worker
    from zoo_core.remote.host.zygote import zygote
    from zoo_core.remote.trust import SandboxPolicy

    zygote()

    def start(namespaces: bool | None) -> None:
        Worker(SandboxPolicy(namespaces=namespaces)).close()

    return medians(
        {"worker start": lambda: start(None), "worker start, no namespaces": lambda: start(False)},
        30,
        pause=0.05,  # a worker that ends gives its memory back beside us
    )


def pair(inside: Any, outside: Any, x: Tensor, kind: str, repeats: int) -> dict[str, float]:
    """Milliseconds of one call in the sandbox and in process."""
    return medians({"in": lambda: inside(x, kind=kind), "out": lambda: outside(x, kind=kind)}, repeats)


def train(model: Any, x: Tensor) -> None:
    model.zero_grad()
    model(x, kind="layers").sum().backward()


def main() -> int:
    with tempfile.TemporaryDirectory() as base:
        os.environ["ZOO_TRUST_HOME"] = f"{base}/trust"
        folder = Path(base) / "repository"
        folder.mkdir()
        (folder / "config.json").write_text(CONFIG)
        (folder / "m.py").write_text(CODE)
        from zoo_core.remote.host.zygote import zygote

        started = time.perf_counter()
        print(zygote().facilities.describe())
        print(f"{'zygote start, once':34} {(time.perf_counter() - started) * 1000:9.1f} ms")
        found = start_times()
        for name, value in found.items():
            print(f"{name:34} {value:9.2f} ms")
        inside, outside = load(folder)
        ids, one = torch.randint(0, 1000, (1, 128)), torch.randn(1, 128, 768)
        large = torch.randn(8, 512, 768)
        cases: dict[str, tuple[Any, str, int]] = {
            "empty call": (None, "empty", 300),
            "small tensor call": (ids, "embed", 300),
            "12.6 MB in and out": (large, "copy", 40),
            "two layers, 1 x 128": (one, "layers", 30),
            "two layers, 8 x 512": (large, "layers", 6),
        }
        with torch.no_grad():
            for name, (x, kind, repeats) in cases.items():
                times = pair(inside, outside, x, kind, repeats)
                found[name] = times["in"] - times["out"]
                show(name, times)
                gc.collect()
        small = torch.randn(2, 64, 768)
        show(
            "forward and backward, 2 x 64",
            medians({"in": lambda: train(inside, small), "out": lambda: train(outside, small)}, 10),
        )
    exceeded = {name: found[name] for name, bound in BOUNDS.items() if found[name] > bound}
    for name, value in exceeded.items():
        print(f"{name}: {value:.2f} ms exceeds {BOUNDS[name]} ms", file=sys.stderr)
    return 1 if exceeded else 0


def run(bench: Bench) -> None:
    """As one of the benchmarks: in and out of the sandbox, there is no other library to compare with."""
    main()


def show(name: str, times: dict[str, float]) -> None:
    print(
        f"{name:34} {times['in']:9.2f} ms in the sandbox, {times['out']:9.2f} ms in process, "
        f"{times['in'] - times['out']:+8.2f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
