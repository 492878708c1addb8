"""Run the benchmarks and print ratios: ``python benchmarks/run.py --reference-env PATH [NAME ...]``."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import platform
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from harness import HIGHER_IS_BETTER, REFERENCE, SUBJECT, UNITS, Bench, BenchmarkError, Comparison, spread

HERE = Path(__file__).resolve().parent
NOT_BENCHMARKS = {"harness", "run", "materials"}
TORCH = "torch==2.13.0"


def available() -> list[str]:
    """The names of the benchmarks beside this file."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)


def load(name: str) -> ModuleType:
    """Import one benchmark under a name that shadows nothing."""
    spec = importlib.util.spec_from_file_location(f"zoo_benchmark_{name}", HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reference_python(folder: Path) -> Path:
    """The interpreter of the reference environment, which is made when it is missing."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        print(f"making {folder}: torch and the newest transformers", file=sys.stderr)
        venv.create(folder, with_pip=True)
        for packages in ([TORCH], ["transformers", "pillow", "sentencepiece"]):
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def versions(python: Path) -> dict[str, str]:
    """What the environment behind ``python`` has of the packages that matter here."""
    code = (
        "import importlib.metadata as m, json\n"
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    out = subprocess.run([str(python), "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = json.loads(out)
    return {name: found[name] for name in ("transformers", "torch", "tokenizers", "numpy") if name in found}


def show(comparison: Comparison) -> None:
    """Print one case: a line per figure and compared side."""
    print(f"\n{comparison.benchmark}: {comparison.label}")
    print(f"  {'figure':<12}{'zoo':>24}  {'against':<14}{'':>24}  {'ratio':>8}  {'min':>7}  {'max':>7}")
    for metric in comparison.metrics():
        ours = _figures(comparison.samples[SUBJECT][metric], metric)
        others = [side for side in comparison.samples if side != SUBJECT]
        if not others:
            print(f"  {metric:<12}{ours:>24}")
        for side in others:
            ratios = comparison.ratios(metric, side)
            if not ratios:
                continue
            theirs = _figures(comparison.samples[side][metric], metric)
            middle, low, high = spread(ratios)
            note = "  higher is better" if metric in HIGHER_IS_BETTER else ""
            ratio = f"{middle:8.3f}  {low:7.3f}  {high:7.3f}{note}"
            print(f"  {metric:<12}{ours:>24}  {side:<14}{theirs:>24}  {ratio}")
    for failure in comparison.failures():
        print(f"  OVER THE LIMIT  {failure}")
    sys.stdout.flush()


def _figures(values: Sequence[float], metric: str) -> str:
    middle, low, high = spread(values)
    unit = UNITS.get(metric, "")
    return f"{middle:.4g} ({low:.3g}-{high:.3g}) {unit}".strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(available())}")
    parser.add_argument("--reference-env", type=Path, help="environment of transformers; made when missing")
    parser.add_argument("--repeats", type=int, default=5, help="pairs to measure (default 5)")
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of every measured process (default 1)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples and ratios to FILE")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(available()))
    if unknown:
        parser.error(f"no benchmark called {', '.join(unknown)}; there are {', '.join(available())}")

    reference = reference_python(options.reference_env) if options.reference_env else None
    environment = {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "threads": options.threads,
    }
    environment["zoo"] = {
        "zoo-core": importlib.metadata.version("zoo-core"),
        **versions(Path(sys.executable)),
    }
    if reference:
        environment[REFERENCE] = versions(reference)
    print(json.dumps(environment, indent=1))
    if not reference:
        print("no --reference-env given: the transformers side is left out", file=sys.stderr)

    bench = Bench(reference=reference, repeats=options.repeats, threads=options.threads, on_result=show)
    errors = []
    for name in options.names or available():
        bench.benchmark = name
        try:
            load(name).run(bench)
        except BenchmarkError as error:
            errors.append(f"{name}: {error}")
            print(f"\n{name} FAILED\n{error}", file=sys.stderr)
    failures = [failure for result in bench.results for failure in result.failures()]
    if options.json:
        report = {
            "environment": environment,
            "results": [r.to_json() for r in bench.results],
            "errors": errors,
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{len(bench.results)} cases, {len(failures)} over their limit, {len(errors)} benchmarks failed")
    return 1 if failures or errors else 0


if __name__ == "__main__":
    sys.exit(main())
