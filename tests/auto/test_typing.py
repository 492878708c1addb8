"""What pyright makes of ordinary code: every public name and the result of every from_pretrained."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import zoo_core

SAMPLE = """
from typing import Any
from typing_extensions import assert_type
import zoo_core
from zoo_core import AutoConfig, AutoFeatureExtractor, AutoImageProcessor, AutoModel, AutoModelForMaskedLM
from zoo_core import AutoProcessor, AutoTokenizer, AutoVideoProcessor, FeatureExtractionMixin
from zoo_core import ImageProcessingMixin, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from zoo_core import ProcessorMixin, VideoProcessingMixin, sub_config
from zoo_core.config import field

assert_type(AutoConfig.from_pretrained("x"), PretrainedConfig)
with_unused = AutoConfig.from_pretrained("x", return_unused_kwargs=True)
assert_type(with_unused, tuple[PretrainedConfig, dict[str, Any]])
assert_type(AutoConfig.for_model("bert", hidden_size=3), PretrainedConfig)
assert_type(AutoModel.from_pretrained("x"), PreTrainedModel)
assert_type(AutoModelForMaskedLM.from_pretrained("x", dtype="auto"), PreTrainedModel)
with_info = AutoModel.from_pretrained("x", output_loading_info=True)
assert_type(with_info, tuple[PreTrainedModel, dict[str, Any]])
assert_type(AutoModel.from_config(AutoConfig.from_pretrained("x")), PreTrainedModel)
assert_type(AutoTokenizer.from_pretrained("x", use_fast=True), PreTrainedTokenizerBase)
assert_type(AutoFeatureExtractor.from_pretrained("x"), FeatureExtractionMixin)
assert_type(AutoImageProcessor.from_pretrained("x"), ImageProcessingMixin)
assert_type(AutoVideoProcessor.from_pretrained("x"), VideoProcessingMixin)
assert_type(AutoProcessor.from_pretrained("x"), ProcessorMixin)


class Part(PretrainedConfig):
    model_type = "part"
    width: int = 3


class Whole(PretrainedConfig):
    model_type = "whole"
    size: int = 4
    depths: list[int] = field([1, 2])
    part: Part = sub_config(Part)
    other: PretrainedConfig = sub_config("bert")


whole = Whole(size=3, depths=[1], num_labels=3, pad_token_id=None, part=Part(width=1))
Whole(attn_implementation="eager", torch_dtype="float16")
assert_type(whole.size, int)
assert_type(whole.part, Part)
assert_type(whole.num_labels, int)
assert_type(Whole.from_pretrained("x"), Whole)
assert_type(Whole.from_dict({}, return_unused_kwargs=True), tuple[Whole, dict[str, Any]])
"""
WRONG = """
from zoo_core import AutoModel, PretrainedConfig

class Whole(PretrainedConfig):
    size: int = 4

Whole(size="x")
Whole(siize=3)
AutoModel.from_nothing("x")
"""


def test_pyright_resolves_names_and_results_and_sees_mistakes(tmp_path: Path) -> None:
    names = "\n".join(f"zoo_core.{name}" for name in sorted(zoo_core._HOME))
    (tmp_path / "right.py").write_text(f"{SAMPLE}\n\n{names}\n")
    (tmp_path / "wrong.py").write_text(WRONG)
    config = {"include": ["."], "pythonVersion": "3.11", "typeCheckingMode": "standard"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    tool = Path(sys.executable).with_name("basedpyright")  # pyright as a wheel: it needs no node and no npm
    command = [str(tool), "--outputjson", "--pythonpath", sys.executable, "--project", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found: dict[str, list[tuple[int, str]]] = {"right.py": [], "wrong.py": []}
    for item in json.loads(done.stdout)["generalDiagnostics"]:
        if item["severity"] == "error":
            found[Path(item["file"]).name].append((item["range"]["start"]["line"], item["message"]))
    assert found["right.py"] == []
    assert [line for line, _ in found["wrong.py"]] == [6, 7, 8]
