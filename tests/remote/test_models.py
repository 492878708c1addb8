"""Custom-code models in the sandbox against the same code in process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_core import AutoConfig, AutoModelForCausalLM
from zoo_core.errors import UntrustedCode

REPOSITORIES = Path(__file__).parent / "repositories"


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of one custom-code repository."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(REPOSITORIES / name, tmp_path / name))

    return copy


def test_decoder_runs_trains_saves(repository: Callable[[str], Path], tmp_path: Path) -> None:
    folder = repository("tiny_decoder")
    with pytest.raises(UntrustedCode):
        AutoConfig.from_pretrained(folder)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
    assert (config.num_attention_heads, config.head_dim) == (4, 8)
    model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=True)
    ids = torch.randint(3, 90, (2, 7))
    before = model(input_ids=ids, labels=ids).loss
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    before.backward()
    optimizer.step()
    after = model(input_ids=ids, labels=ids).loss
    assert after < before
    model.save_pretrained(tmp_path / "saved")
    again: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "saved", trust_remote_code=True)
    with torch.no_grad():
        assert torch.equal(again(ids).logits, model.eval()(ids).logits)
    assert len(again.greedy([1, 5], steps=3)) == 5
