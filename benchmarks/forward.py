"""Forward passes of base-sized models with random weights; a process per side, the sides taking turns."""

from __future__ import annotations

import json
from typing import Any

from harness import Bench
from materials import bert_base_config

SOURCE = """
import torch
from {library} import AutoConfig, AutoModel
torch.manual_seed(0)
model = AutoModel.from_config(AutoConfig.from_pretrained(args["folder"])).eval()
random = torch.Generator().manual_seed(0)
inputs = {{}}
{inputs}
def step():
    with torch.inference_mode():
        model(**inputs)
"""
TEXT = """
batch, length = args["shape"]
inputs["input_ids"] = torch.randint(1000, 30000, (batch, length), generator=random)
inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
if args["padded"]:
    inputs["attention_mask"][: batch // 2, length // 2 :] = 0
"""
PICTURES = """
inputs["pixel_values"] = torch.randn(args["batch"], 3, 224, 224, generator=random)
"""
PAIRS = (
    PICTURES
    + """
inputs["input_ids"] = torch.randint(3, 49000, (args["batch"], 77), generator=random)
inputs["input_ids"][:, -1] = 49407
"""
)
SPEECH = """
inputs["input_features"] = torch.randn(args["batch"], 80, 3000, generator=random)
inputs["decoder_input_ids"] = torch.randint(3, 50000, (args["batch"], 16), generator=random)
"""
#: label, config of the checkpoint, inputs
OTHERS = (
    ("ViT-base", {"model_type": "vit"}, PICTURES),
    ("CLIP-base (32)", {"model_type": "clip"}, PAIRS),
    ("Whisper-tiny", {"model_type": "whisper"}, SPEECH),
)


def run(bench: Bench) -> None:
    folder = bert_base_config(bench)
    for shape, padded in (((1, 16), False), ((1, 128), False), ((8, 128), True), ((2, 512), False)):
        label = f"BERT-base, batch {shape[0]}, {shape[1]} tokens"
        label += ", half of the rows half padded" if padded else ""
        _compare(bench, label, {"folder": folder, "shape": shape, "padded": padded}, TEXT)
    for label, config, inputs in OTHERS:
        other = bench.folder / str(config["model_type"])
        other.mkdir(exist_ok=True)
        (other / "config.json").write_text(json.dumps(config))
        for batch in (1, 4):
            _compare(bench, f"{label}, batch {batch}", {"folder": str(other), "batch": batch}, inputs)


def _compare(bench: Bench, label: str, args: dict[str, Any], inputs: str) -> None:
    bench.steady(
        label,
        args=args,
        limits={"seconds": 1.0},
        repeats=2 * bench.repeats,
        warmup=1,
        zoo=SOURCE.format(library="zoo_core", inputs=inputs),
        transformers=SOURCE.format(library="transformers", inputs=inputs),
    )
