"""A small Llama on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo_core import AutoModelForCausalLM
from zoo_text.llama.config import LlamaConfig


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        initializer_range=0.1,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("llama")
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder
