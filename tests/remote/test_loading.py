"""Loads of code from repositories: revisions, approvals, changes, limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo_core
from zoo_core import AutoConfig
from zoo_core.errors import SandboxError, UntrustedCode
from zoo_core.remote import review
from zoo_core.remote.store import TrustStore
from zoo_core.remote.trust import SandboxPolicy

COMMIT, CONFIG_COMMIT = "a" * 40, "b" * 40


def test_same_names_side_by_side_and_changed_code_refused(write_repo: Callable[..., Path]) -> None:
    def made(number: int, name: str) -> Path:
        return write_repo(
            {
                "config.json": json.dumps(
                    {"model_type": "same", "auto_map": {"AutoConfig": "c.C", "AutoModel": "m.M"}}
                ),
                "c.py": f"from transformers import PretrainedConfig\nclass C(PretrainedConfig):\n"
                f"    model_type = 'same'\n    def __init__(self, n={number}, **k):\n"
                "        self.n = n\n        super().__init__(**k)\n",
                "m.py": "import torch\nfrom transformers import PreTrainedModel\nfrom .c import C\n"
                "class M(PreTrainedModel):\n    config_class = C\n    def __init__(self, config):\n"
                "        super().__init__(config)\n        self.w = torch.nn.Parameter(torch.ones(1))\n"
                f"    def forward(self, x):\n        return x * {number} + self.config.n\n",
            },
            name,
        )

    models = []
    for number in (1, 2, 3):
        config = AutoConfig.from_pretrained(made(number, f"repo{number}"), trust_remote_code=True)
        models.append(zoo_core.AutoModel.from_config(config, trust_remote_code=True))
    assert [model(torch.ones(1)).item() for model in models] == [2, 4, 6]
    folder = made(4, "repo1")
    with pytest.raises(UntrustedCode, match=r"changed file: c.py"):
        AutoConfig.from_pretrained(folder, trust_remote_code=True)


def test_in_process_only_when_pinned_and_approved(hub: Callable[[str], dict[str, Any]]) -> None:
    keywords = hub("tiny_packages")
    with pytest.raises(UntrustedCode, match="not approved"):
        AutoConfig.from_pretrained(**keywords, sandbox=False, code_revision=COMMIT)
    AutoConfig.from_pretrained(**keywords)
    review.approve(TrustStore(), "zoo-tests/tiny-packages", in_process=True)
    with pytest.raises(UntrustedCode, match="must be pinned"):
        AutoConfig.from_pretrained(**keywords, sandbox=False)
    config = AutoConfig.from_pretrained(**keywords, sandbox=False, code_revision=COMMIT)
    assert type(config).__module__.startswith("_zoo_remote.")
    assert AutoConfig.from_pretrained(**keywords, sandbox=False, revision=COMMIT).width == 10


def test_a_pinned_revision_demands_a_pin_of_the_other_repository(
    hub: Callable[[str], dict[str, Any]],
) -> None:
    keywords = hub("tiny_split")
    with pytest.raises(UntrustedCode, match="tiny-split-config, which may change; pin that"):
        AutoConfig.from_pretrained(**keywords, revision=COMMIT)
    config = AutoConfig.from_pretrained(**keywords, revision=COMMIT, code_revision=CONFIG_COMMIT)
    assert config.depth == 3
    record = TrustStore().get("zoo-tests/tiny-split", "zoo-tests/tiny-split-config")
    assert record is not None and record.code_commit == CONFIG_COMMIT


def test_limits_of_a_call(write_repo: Callable[..., Path]) -> None:
    folder = write_repo(
        {
            "config.json": '{"model_type": "slow", "auto_map": {"AutoConfig": "m.C", "AutoModel": "m.M"}}',
            "m.py": "import time, torch\nfrom transformers import PreTrainedModel, PretrainedConfig\n"
            "class C(PretrainedConfig):\n    model_type = 'slow'\n"
            "class M(PreTrainedModel):\n    config_class = C\n    def __init__(self, config):\n"
            "        super().__init__(config)\n        self.w = torch.nn.Parameter(torch.ones(1))\n"
            "    def forward(self, x):\n        time.sleep(float(x))\n        return self.w * x\n",
        }
    )
    policy = SandboxPolicy(deadline=1.0)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
    model = zoo_core.AutoModel.from_config(config, trust_remote_code=True, sandbox=policy)
    assert model(torch.zeros(1)).item() == 0
    with pytest.raises(SandboxError, match="did not finish within 1 s"):
        model(torch.full((1,), 60.0))
    model.restart()
    assert model(torch.full((1,), 0.5)).item() == 0.5
