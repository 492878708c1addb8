"""Many loads at once of repositories with equal file names: no mix-up, nothing left behind.

``MANY_LOADS`` sets the number, 40 unless set; the figure in the documentation is for 500.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from zoo_core import AutoConfig, AutoModel
from zoo_core.remote.host.zygote import zygote

LOADS = int(os.environ.get("MANY_LOADS", "40"))
AT_ONCE = 8
REPOSITORIES = 4


@pytest.fixture
def repositories(write_repo: Callable[..., Path]) -> list[Path]:
    """Four repositories whose files and classes have the same names and do different things."""
    made = []
    for number in range(1, REPOSITORIES + 1):
        files = {
            "config.json": json.dumps(
                {"model_type": "same", "auto_map": {"AutoConfig": "conf.Config", "AutoModel": "model.Model"}}
            ),
            "conf.py": "from transformers import PretrainedConfig\nfrom .shared import NUMBER\n"
            "class Config(PretrainedConfig):\n    model_type = 'same'\n    def __init__(self, "
            "n=NUMBER, **k):\n"
            "        self.n = n\n        super().__init__(**k)\n",
            "shared.py": f"NUMBER = {number}\n",
            "model.py": "import torch\nfrom transformers import PreTrainedModel\nfrom .conf import Config\n"
            "from .shared import NUMBER\nclass Model(PreTrainedModel):\n    config_class = Config\n"
            "    def __init__(self, config):\n        super().__init__(config)\n"
            "        self.w = torch.nn.Parameter(torch.full((64,), float(NUMBER)))\n"
            "    def forward(self, x):\n        return x * self.w * self.config.n + NUMBER\n",
        }
        made.append(write_repo(files, f"owner{number}"))
    return made


def workers() -> int:
    """Processes that the zygote has now."""
    pid = zygote().pid
    return len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def settled(count: Callable[[], int], expected: int) -> bool:
    """Whether the count falls to what is expected within seconds: the kernel ends processes in its
    own time."""
    for _ in range(500):
        if count() <= expected:
            return True
        time.sleep(0.01)
    return False


def memfds() -> int:
    """Descriptors of shared memory that this process has."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += "memfd:zoo" in os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
    return found


def mapped() -> int:
    """Mappings of shared memory in this process."""
    return Path("/proc/self/maps").read_text().count("memfd:zoo")


def load(folder: Path, number: int) -> bool:
    config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
    model = AutoModel.from_config(config, trust_remote_code=True)
    out = model(torch.full((64,), 2.0))
    return config.n == number and bool((out == 2.0 * number * number + number).all())


def test_many_loads(repositories: list[Path]) -> None:
    assert load(repositories[0], 1)
    gc.collect()
    before = (workers(), len(os.listdir("/proc/self/fd")), memfds(), mapped())
    assert settled(workers, 0)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [(repositories[i % REPOSITORIES], i % REPOSITORIES + 1) for i in range(LOADS)]
        results = list(pool.map(lambda job: load(*job), jobs))
    assert all(results)
    gc.collect()
    assert settled(workers, 0), "a worker was left behind"
    assert (len(os.listdir("/proc/self/fd")), memfds(), mapped()) == before[1:]
