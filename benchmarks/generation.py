"""Decoding and prefill of Llamas with random weights, and the memory that decoding takes.

Sides: ``memory`` reads every weight that a token needs once per token, which no implementation can beat.
All sides of a case have the same weights and, greedy, write the same tokens.
"""

from __future__ import annotations

import json

from harness import Bench

#: 246 M parameters; 213 M of them are read for each token
LARGE = {
    "model_type": "llama", "vocab_size": 32000, "hidden_size": 1024, "num_hidden_layers": 16,
    "num_attention_heads": 16, "num_key_value_heads": 4, "intermediate_size": 2816,
    "max_position_embeddings": 4096, "tie_word_embeddings": False,
}  # fmt: skip
SMALL = {
    **LARGE, "vocab_size": 1000, "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 344,
}  # fmt: skip

_MODEL = """
import time, torch
from {library} import AutoConfig, AutoModelForCausalLM
torch.manual_seed(0)
model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(args["folder"])).eval()
ids = torch.randint(3, 900, (args["batch"], args["prompt"]), generator=torch.Generator().manual_seed(0))
mask = torch.ones_like(ids)

def generate(tokens):
    return model.generate(ids, attention_mask=mask, max_new_tokens=tokens, do_sample=False,
                          eos_token_id=None, pad_token_id=0{options})
"""
DECODE = (
    _MODEL
    + """
def step():
    start = time.perf_counter()
    generate(args["tokens"])
    metrics["tokens/s"] = args["batch"] * args["tokens"] / (time.perf_counter() - start)
"""
)
PREFILL = (
    _MODEL
    + """
def step():
    generate(1)
"""
)
GROWTH = (
    _MODEL
    + """
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

generate(16)
before = resident()
generate(args["tokens"])
metrics["growth MiB"] = resident() - before
"""
)
COMPILED = """, cache_implementation="static",
                          compile_config=__import__("zoo_core").CompileConfig()"""
MEMORY = """
import time, torch
weights = [torch.ones(args["elements"] // 64) for _ in range(64)]

def step():
    start = time.perf_counter()
    for _ in range(8):
        for weight in weights:
            weight.sum()
    metrics["tokens/s"] = 8 / (time.perf_counter() - start)
"""


def run(bench: Bench) -> None:
    large, small = _folder(bench, "large", LARGE), _folder(bench, "small", SMALL)
    layer = 1024 * 1024 * 2 + 1024 * 256 * 2 + 3 * 1024 * 2816
    bench.steady(
        "246 M parameters, batch 1",
        args={"folder": large, "batch": 1, "prompt": 16, "tokens": 32, "elements": 16 * layer + 32000 * 1024},
        limits={"tokens/s": 1.35, "tokens/s/memory": 0.92},
        warmup=1,
        memory=MEMORY,
        **_sides(DECODE),
    )
    bench.steady(
        "246 M parameters, batch 1, our steps compiled",
        args={"folder": large, "batch": 1, "prompt": 16, "tokens": 32, "elements": 16 * layer + 32000 * 1024},
        limits={"tokens/s": 1.35, "tokens/s/memory": 0.92},
        warmup=1,
        memory=MEMORY,
        **_sides(DECODE, options=COMPILED),
    )
    bench.steady(
        "2 layers, 128 wide, batch 1",
        args={"folder": small, "batch": 1, "prompt": 16, "tokens": 200},
        limits={"tokens/s": 3.0},
        repeats=4 * bench.repeats,
        **_sides(DECODE),
    )
    bench.steady(
        "2 layers, 128 wide, batch 1, our steps compiled",
        args={"folder": small, "batch": 1, "prompt": 16, "tokens": 200},
        limits={"tokens/s": 3.0},
        repeats=4 * bench.repeats,
        warmup=1,
        **_sides(DECODE, options=COMPILED),
    )
    bench.steady(
        "246 M parameters, batch 8, prompt 256",
        args={"folder": large, "batch": 8, "prompt": 256, "tokens": 32},
        limits={"tokens/s": 1.2},
        warmup=1,
        **_sides(DECODE),
    )
    bench.steady(
        "246 M parameters, prefill of 512 tokens",
        args={"folder": large, "batch": 1, "prompt": 512},
        limits={"seconds": 1.0},
        warmup=1,
        **_sides(PREFILL),
    )
    bench.fresh(
        "memory growth over 1,024 tokens (the cache itself: 1.0 MiB)",
        args={"folder": small, "batch": 1, "prompt": 16, "tokens": 1024},
        **_sides(GROWTH),
    )


def _folder(bench: Bench, name: str, config: dict[str, object]) -> str:
    folder = bench.folder / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


def _sides(source: str, options: str = "") -> dict[str, str]:
    """The code of both sides; `options` of `generate` are for the zoo alone."""
    return {
        "zoo": source.replace("{library}", "zoo_core").replace("{options}", options),
        "transformers": source.replace("{library}", "transformers").replace("{options}", ""),
    }
