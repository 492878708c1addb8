"""What can be asked for, what checkpoints may say, and what is said where bitsandbytes is missing."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_core import AutoModel, BitsAndBytesConfig
from zoo_core.errors import ConfigError, MissingDependency


def test_a_config_survives_its_file() -> None:
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16)
    written = json.loads(json.dumps(config.to_dict()))
    assert written["quant_method"] == "bitsandbytes" and written["_load_in_4bit"] is True
    assert written["bnb_4bit_compute_dtype"] == "bfloat16"
    assert BitsAndBytesConfig.from_dict(written) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"load_in_8bit": True, "load_in_4bit": True}, "exclude each other"),
        ({"load_in_8bit": "yes"}, "load_in_8bit='yes' must be True or False"),
        ({"bnb_4bit_quant_type": "int4"}, '"fp4" or "nf4"'),
        ({"bnb_4bit_compute_dtype": "int8"}, "must be one of float32"),
        ({"llm_int8_skip_modules": [3]}, "list of module names"),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BitsAndBytesConfig(**values)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"load_in_8bit": True, "quantization_config": BitsAndBytesConfig(load_in_4bit=True)}, "twice"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantised with 'gptq'"),
        ({"quantization_config": object()}, "pass a zoo_core.BitsAndBytesConfig"),
    ],
)
def test_keywords_that_cannot_be_served(llama: Path, keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AutoModel.from_pretrained(llama, **keywords)


def test_a_checkpoint_of_another_method_is_refused(llama: Path, tmp_path: Path) -> None:
    shutil.copytree(llama, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(
        json.dumps(config | {"quantization_config": {"quant_method": "fp8"}})
    )
    with pytest.raises(ConfigError, match="was quantised with 'fp8'"):
        AutoModel.from_pretrained(tmp_path)


def test_the_missing_package_is_named(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.delitem(sys.modules, "zoo_core.quantization.layers", raising=False)
    with pytest.raises(MissingDependency, match=r"pip install 'zoo-core\[bitsandbytes\]'"):
        AutoModel.from_pretrained(llama, load_in_8bit=True)
