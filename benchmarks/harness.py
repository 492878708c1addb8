"""Side-by-side measurement: each side in a process of its own, pair by pair, compared as ratios.

A benchmark is a file beside this one with a module docstring (its first line is the title) and

    def run(bench: Bench) -> None: ...

in which it calls ``bench.fresh`` (a new process for every sample) or ``bench.steady`` (one process per
side that repeats a step). Sides are keyword arguments; their values are Python source. ``zoo`` is the side
that is measured, ``transformers`` runs in the reference environment, every other side is a baseline in the
environment that the benchmark itself was started with.

    bench.fresh("AutoConfig", zoo="from zoo_core import AutoConfig; ...", transformers="...")

The source finds ``args`` (a dict handed over as JSON) and may put figures of its own into ``metrics``;
``seconds``, ``modules`` and ``MiB`` (peak resident memory) are measured anyway. Only the zoo side may be
held to limits, e.g. ``limits={"seconds": 0.05}`` against transformers or ``{"seconds/raw": 1.2}`` against the
side ``raw``: a median ratio beyond it is a failure of the run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUBJECT = "zoo"
REFERENCE = "transformers"
UNITS = {"seconds": "s", "modules": "", "MiB": "MiB"}
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
HIGHER_IS_BETTER = frozenset({"tokens/s", "images/s", "GiB/s"})

_WORKER = r"""
import json, sys, time
source, args, steady = json.loads(sys.stdin.readline())
channel = sys.stdout
sys.stdout = sys.stderr
metrics = {}

def peak_mib():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)

def answer(seconds):
    measured = {"seconds": seconds, "modules": len(sys.modules), "MiB": peak_mib(), **metrics}
    channel.write(json.dumps(measured) + "\n")
    channel.flush()

scope = {"args": args, "metrics": metrics, "__name__": "__main__"}
code = compile(source, "<benchmark>", "exec")
start = time.perf_counter()
exec(code, scope)
seconds = time.perf_counter() - start
if not steady:
    answer(seconds)
else:
    channel.write("ready\n")
    channel.flush()
    for _ in sys.stdin:
        start = time.perf_counter()
        scope["step"]()
        answer(time.perf_counter() - start)
"""


class BenchmarkError(RuntimeError):
    """A side could not be measured; carries the end of what it wrote to stderr."""


@dataclass(frozen=True)
class Comparison:
    """All samples of one case: ``samples[side][metric]`` holds one figure per pair, in order."""

    benchmark: str
    label: str
    samples: Mapping[str, Mapping[str, Sequence[float]]]
    limits: Mapping[str, float] = field(default_factory=dict)

    def metrics(self) -> list[str]:
        """The figures that the subject and at least one other side have."""
        others = {name for side, figures in self.samples.items() if side != SUBJECT for name in figures}
        return [name for name in self.samples[SUBJECT] if name in others or len(self.samples) == 1]

    def ratios(self, metric: str, side: str) -> list[float]:
        """Subject over ``side``, one ratio per pair."""
        subject = self.samples[SUBJECT].get(metric, ())
        other = self.samples.get(side, {}).get(metric, ())
        return [ours / theirs for ours, theirs in zip(subject, other, strict=False) if theirs]

    def failures(self) -> list[str]:
        """The limits that the median ratio breaks, as sentences.

        A limit's key is a figure, against the reference, or ``figure/side``.
        """
        broken = []
        for key, limit in self.limits.items():
            metric, side = (key, REFERENCE) if key in self.samples[SUBJECT] else _split(key)
            ratios = self.ratios(metric, side)
            if not ratios:
                continue
            median = statistics.median(ratios)
            higher = metric in HIGHER_IS_BETTER
            if median < limit if higher else median > limit:
                bound = "at least" if higher else "at most"
                allowed = f"{bound} {limit:g} allowed"
                broken.append(f"{self.label}: {metric} is {median:.3g} of {side}, {allowed}")
        return broken

    def to_json(self) -> dict[str, Any]:
        """Samples, medians and ratios as plain data."""
        return {
            "benchmark": self.benchmark,
            "label": self.label,
            "samples": self.samples,
            "ratios": {
                side: {
                    metric: dict(zip(("median", "min", "max"), spread(ratios), strict=True))
                    for metric in self.metrics()
                    if (ratios := self.ratios(metric, side))
                }
                for side in self.samples
                if side != SUBJECT
            },
            "failures": self.failures(),
        }


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, smallest and largest."""
    return statistics.median(values), min(values), max(values)


class Bench:
    """What a benchmark measures with: interpreters, number of pairs, threads and a scratch folder."""

    def __init__(
        self,
        *,
        reference: Path | None,
        repeats: int = 5,
        threads: int = 1,
        timeout: float = 600,
        on_result: Callable[[Comparison], object] = lambda comparison: None,
    ) -> None:
        self.reference = reference
        self.repeats = repeats
        self.threads = threads
        self.timeout = timeout
        self.results: list[Comparison] = []
        self.benchmark = ""
        self._on_result = on_result
        self._scratch = tempfile.TemporaryDirectory(prefix="zoo-benchmark-")

    @property
    def folder(self) -> Path:
        """A scratch folder that goes away with the run."""
        return Path(self._scratch.name)

    def fresh(
        self,
        label: str,
        *,
        args: Mapping[str, Any] | None = None,
        limits: Mapping[str, float] | None = None,
        repeats: int | None = None,
        **sides: str,
    ) -> Comparison:
        """Run each side in a new process per sample; the first round fills caches and does not count."""
        chosen = self._runnable(sides)
        samples: dict[str, dict[str, list[float]]] = {side: {} for side in chosen}
        for pair in range(-1, repeats or self.repeats):
            for side in _in_turn(chosen, pair):
                with Worker(self.interpreter(side), chosen[side], args or {}, self) as worker:
                    figures = worker.read()
                if pair >= 0:
                    _record(samples[side], figures)
        return self._finish(label, samples, limits)

    def steady(
        self,
        label: str,
        *,
        args: Mapping[str, Any] | None = None,
        limits: Mapping[str, float] | None = None,
        repeats: int | None = None,
        warmup: int = 2,
        **sides: str,
    ) -> Comparison:
        """Keep one process per side. The source defines ``step()``; the sides take turns at calling it."""
        chosen = self._runnable(sides)
        samples: dict[str, dict[str, list[float]]] = {side: {} for side in chosen}
        workers: dict[str, Worker] = {}
        try:
            for side, source in chosen.items():
                workers[side] = Worker(self.interpreter(side), source, args or {}, self, steady=True)
            for pair in range(-warmup, repeats or self.repeats):
                for side in _in_turn(chosen, pair):
                    figures = workers[side].step()
                    if pair >= 0:
                        _record(samples[side], figures)
        finally:
            for worker in workers.values():
                worker.close()
        return self._finish(label, samples, limits)

    def interpreter(self, side: str) -> Path:
        """The Python that runs ``side``."""
        return self.reference if side == REFERENCE and self.reference else Path(sys.executable)

    def environment(self) -> dict[str, str]:
        """What every measured process sees: offline, fixed threads, none of the caller's Python settings."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ZOO_"))}
        threads = dict.fromkeys(_THREAD_VARIABLES, str(self.threads))
        return {
            **kept,
            **threads,
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HOME": str(self.folder / "hf-home"),
        }

    def _runnable(self, sides: Mapping[str, str]) -> dict[str, str]:
        if SUBJECT not in sides:
            raise ValueError(f"a benchmark measures the side {SUBJECT!r}; given: {', '.join(sides)}")
        return {side: code for side, code in sides.items() if side != REFERENCE or self.reference}

    def _finish(
        self, label: str, samples: Mapping[str, Mapping[str, list[float]]], limits: Mapping[str, float] | None
    ) -> Comparison:
        comparison = Comparison(self.benchmark, label, samples, dict(limits or {}))
        self.results.append(comparison)
        self._on_result(comparison)
        return comparison


class Worker:
    """One measured process, spoken to over its standard input and output."""

    def __init__(
        self, python: Path, source: str, args: Mapping[str, Any], bench: Bench, *, steady: bool = False
    ) -> None:
        self._stderr = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed in close()
        self._bench = bench
        self._process = subprocess.Popen(
            # -P: neither the folder of the benchmarks nor the current one may shadow a package
            [str(python), "-P", "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=bench.folder,
            env=bench.environment(),
        )
        self._watchdog = threading.Timer(bench.timeout, self._process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        self._send(json.dumps([source, dict(args), steady]))
        if steady and self._line() != "ready":
            raise self._failure()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self) -> dict[str, float]:
        """Let a steady worker run its step once and return what it measured."""
        self._send("step")
        return self.read()

    def read(self) -> dict[str, float]:
        """The next line of figures; raises ``BenchmarkError`` when the process ended instead."""
        line = self._line()
        if not line:
            raise self._failure()
        figures: dict[str, float] = json.loads(line)
        return figures

    def close(self) -> None:
        """End the process."""
        self._watchdog.cancel()
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._stderr.close()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _failure(self) -> BenchmarkError:
        self._process.wait()
        self._stderr.seek(0)
        tail = "\n".join(self._stderr.read().splitlines()[-15:])
        return BenchmarkError(f"{self._process.args[0]} exited with {self._process.returncode}:\n{tail}")  # type: ignore[index]


def _split(key: str) -> tuple[str, str]:
    metric, _, side = key.rpartition("/")
    return metric, side


def _in_turn(sides: Mapping[str, str], pair: int) -> list[str]:
    """Sides forwards in even pairs and backwards in odd ones, so that drift of the machine cancels."""
    order = list(sides)
    return order if pair % 2 == 0 else order[::-1]


def _record(samples: dict[str, list[float]], figures: Mapping[str, float]) -> None:
    for name, value in figures.items():
        samples.setdefault(name, []).append(value)
