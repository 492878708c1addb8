"""What a model adds to ``import torch``, counted in fresh processes, which no busy machine distorts."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

import pytest

from zoo_core.cli.commands.demo import weights_folder

CLASS = "from zoo_text.bert.model import BertModel"
LOADED = "from zoo_core import AutoModel; AutoModel.from_pretrained({folder!r})"
WEIGHTS_MIB = 87
_REPORT = """
import json, sys
lines = open("/proc/self/status").read().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
print(json.dumps([sorted(sys.modules), peak]))
"""


class Cost(NamedTuple):
    modules: frozenset[str]
    mib: float


def cost(source: str) -> Cost:
    """Modules and peak MiB of a new process that runs ``source``."""
    code = source.format(folder=weights_folder()) + _REPORT
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, peak = json.loads(done.stdout.splitlines()[-1])
    return Cost(frozenset(modules), peak)


@pytest.fixture(scope="module")
def torch() -> Cost:
    return cost("import torch")


@pytest.mark.parametrize(("source", "held"), [(CLASS, 0), (LOADED, WEIGHTS_MIB)], ids=["class", "loaded"])
def test_a_model_adds_little_to_torch(torch: Cost, source: str, held: float) -> None:
    model = cost(source)
    assert len(model.modules) - len(torch.modules) <= 300
    assert model.mib - torch.mib <= 60 + held
    assert not {"torch._dynamo", "torch._inductor", "sympy"} & (model.modules - torch.modules)


def test_importing_the_package_takes_a_tenth_of_a_second_at_most() -> None:
    code = "import time; t = time.perf_counter(); import zoo_core; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(5)]
    assert min(float(run.stdout) for run in runs) < 0.1
