"""The benchmarks measure what they say: pairs, ratios, limits, failures."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SLEEP = "import time; time.sleep({})"


@pytest.fixture(scope="module")
def harness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("harness", BENCHMARKS / "harness.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["harness"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bench(harness: ModuleType):
    return harness.Bench(reference=Path(sys.executable), repeats=3, timeout=20)


def test_fresh_processes_are_compared_pair_by_pair(bench) -> None:
    found = bench.fresh("sleep", zoo=SLEEP.format(0.02), transformers=SLEEP.format(0.2))
    assert len(found.samples["zoo"]["seconds"]) == len(found.samples["transformers"]["seconds"]) == 3
    assert all(ratio < 0.6 for ratio in found.ratios("seconds", "transformers"))
    assert {"seconds", "modules", "MiB"} <= set(found.metrics())


def test_steady_processes_keep_their_state_and_take_turns(bench, tmp_path: Path) -> None:
    source = (
        "n = 0\nlog = open(args['log'], 'a')\n"
        "def step():\n global n\n n += 1\n log.write({!r} + str(n) + ' ')\n log.flush()"
    )
    bench.steady(
        "turns",
        args={"log": str(tmp_path / "log")},
        warmup=1,
        repeats=3,
        zoo=source.format("z"),
        raw=source.format("r"),
    )
    assert (tmp_path / "log").read_text().split() == ["r1", "z1", "z2", "r2", "r3", "z3", "z4", "r4"]


def test_arguments_and_own_figures(bench) -> None:
    found = bench.fresh("own", args={"x": 7}, zoo="metrics['tokens/s'] = args['x'] * 2")
    assert found.samples["zoo"]["tokens/s"] == [14, 14, 14]


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        ({"f": 2.0}, 0),
        ({"f": 0.5}, 1),
        ({"f/raw": 0.5}, 1),
        ({"tokens/s": 0.5}, 0),
        ({"tokens/s": 2.0}, 1),
        ({"gone": 1.0}, 0),
    ],
)
def test_limits_hold_the_median_ratio(bench, limits: dict[str, float], broken: int) -> None:
    side = "metrics.update({'f': 3, 'tokens/s': 5})"
    found = bench.fresh("limits", limits=limits, repeats=1, zoo=side, transformers=side, raw=side)
    assert len(found.failures()) == broken


def test_measured_processes_see_fixed_threads_and_no_settings_of_the_caller(bench, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("ZOO_DISABLE", "zoo-text")
    bench.fresh(
        "environment",
        repeats=1,
        zoo="import os; assert os.environ['OMP_NUM_THREADS'] == '1' and 'ZOO_DISABLE' not in os.environ "
        "and 'PYTHONPATH' not in os.environ and os.environ['HF_HUB_OFFLINE'] == '1'",
    )


def test_a_side_that_fails_shows_its_error(bench, harness: ModuleType) -> None:
    with pytest.raises(harness.BenchmarkError, match="ValueError: broken on purpose"):
        bench.fresh("fails", zoo="raise ValueError('broken on purpose')")


def test_a_side_that_hangs_is_ended(harness: ModuleType) -> None:
    bench = harness.Bench(reference=None, timeout=0.5)
    with pytest.raises(harness.BenchmarkError, match="exited with -9"):
        bench.fresh("hangs", zoo=SLEEP.format(60))


def test_without_a_reference_only_our_side_runs(harness: ModuleType) -> None:
    bench = harness.Bench(reference=None, repeats=1)
    assert set(bench.fresh("alone", zoo="pass", transformers="1/0").samples) == {"zoo"}


def test_our_side_is_required(bench) -> None:
    with pytest.raises(ValueError, match="measures the side 'zoo'"):
        bench.fresh("nothing", raw="pass")


def test_the_runner_prints_ratios_and_writes_json(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [sys.executable, BENCHMARKS / "run.py", "config", "--repeats", "1", "--json", out]
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""}
    )
    assert done.returncode == 0, done.stderr
    assert (
        "AutoConfig.from_pretrained(folder)" in done.stdout and "1 cases, 0 over their limit" in done.stdout
    )
    (result,) = json.loads(out.read_text())["results"]
    assert result["samples"]["zoo"]["seconds"][0] > 0


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_every_benchmark_says_what_it_measures(path: Path, harness: ModuleType, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location(f"zoo_benchmark_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert module.__doc__
    if path.stem not in {"harness", "run", "materials"}:
        assert callable(module.run)
