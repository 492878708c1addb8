"""Loading 1 GB of safetensors: a model through AutoModel against the bare tensors of the same file.

All sides may map the file and leave reading to the first use, so that every step reads one byte of every
page, except where it says "mapped". "From disk" drops the file from the page cache first; "from the page
cache" is a second load, in which building the model is most of the time. Peak memory is above what the
imports took, over the size of the file.
"""

from __future__ import annotations

import json
from pathlib import Path

from harness import Bench
from materials import BERT_BASE

CONFIG = {
    **BERT_BASE,
    "hidden_size": 1024,
    "num_hidden_layers": 18,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}

TOUCH = """
import time, torch
def touch(tensors):
    return sum(int(t.detach().reshape(-1).view(torch.uint8)[::4096].sum()) for t in tensors)
"""
MODEL = """
import torch
from {library} import AutoModel
def load():
    return AutoModel.from_pretrained(args["folder"], dtype=getattr(torch, args["dtype"]))
def tensors(model):
    return list(model.parameters())
"""
RAW = """
from safetensors.torch import load_file
def load():
    return load_file(args["folder"] + "/model.safetensors")
def tensors(loaded):
    return list(loaded.values())
"""
STEP = """
import os
def drop(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)

def step():
    if args["cold"]:
        drop(args["folder"] + "/model.safetensors")
    start = time.perf_counter()
    loaded = load()
    if args["touched"]:
        touch(tensors(loaded))
    metrics["seconds"] = time.perf_counter() - start
"""
ONCE = """
with open("/proc/self/status") as status:
    before = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
start = time.perf_counter()
loaded = load()
touch(tensors(loaded))
metrics["seconds"] = time.perf_counter() - start
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
metrics["MiB"] = peak - before
metrics["peak/file"] = (peak - before) / args["file_mib"]
"""
SIDES = {
    "zoo": MODEL.format(library="zoo_core"),
    "safetensors": RAW,
    "transformers": MODEL.format(library="transformers"),
}

CASES = (("from disk", True, True), ("from the page cache", False, True), ("mapped", False, False))


def checkpoint(bench: Bench) -> Path:
    """A BERT of 1 GB with random weights, made once."""
    folder = bench.folder / "bert-1gb"
    if not folder.exists():
        import torch

        from zoo_core import AutoConfig, AutoModel

        made = bench.folder / "bert-1gb-config"
        made.mkdir(exist_ok=True)
        (made / "config.json").write_text(json.dumps(CONFIG))
        with torch.no_grad():
            AutoModel.from_config(AutoConfig.from_pretrained(made)).save_pretrained(folder)
    return folder


def run(bench: Bench) -> None:
    folder = checkpoint(bench)
    size = (folder / "model.safetensors").stat().st_size
    for label, cold, touched in CASES:
        bench.steady(
            f"float32, {size / 1e9:.2f} GB, {label}",
            args={"folder": str(folder), "dtype": "float32", "touched": touched, "cold": cold},
            limits={"seconds/safetensors": 1 / 0.9} if cold else None,
            **{side: TOUCH + source + STEP for side, source in SIDES.items()},
        )
    for dtype in ("float32", "bfloat16"):
        bench.fresh(
            f"{dtype}, first load of a process, every page touched",
            args={"folder": str(folder), "dtype": dtype, "file_mib": size / 2**20},
            limits={"MiB/safetensors": 1.1} if dtype == "float32" else None,
            **{side: TOUCH + source + ONCE for side, source in SIDES.items()},
        )
