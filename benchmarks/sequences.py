"""Decoding of models with an encoder: T5-small and Whisper-tiny with random weights, greedy."""

from __future__ import annotations

import json

from harness import Bench

SOURCE = """
import time, torch
from {library} import AutoConfig, {auto}
torch.manual_seed(0)
model = {auto}.from_config(AutoConfig.from_pretrained(args["folder"])).eval()
random = torch.Generator().manual_seed(0)
{inputs}
def step():
    start = time.perf_counter()
    found = model.generate(**inputs, max_new_tokens=args["tokens"], min_new_tokens=args["tokens"],
                           do_sample=False, num_beams=1)
    metrics["tokens/s"] = args["batch"] * args["tokens"] / (time.perf_counter() - start)
"""
T5 = {
    "model_type": "t5", "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1,
    "is_encoder_decoder": True,
}  # fmt: skip
WHISPER = {
    "model_type": "whisper", "decoder_start_token_id": 50257, "pad_token_id": 50256, "eos_token_id": 50256,
    "suppress_tokens": None, "begin_suppress_tokens": None,
}  # fmt: skip
TEXT = 'inputs = {"input_ids": torch.randint(3, 30000, (args["batch"], 64), generator=random)}'
SOUND = 'inputs = {"input_features": torch.randn(args["batch"], 80, 3000, generator=random)}'
CASES = (
    ("T5-small", T5, "AutoModelForSeq2SeqLM", TEXT),
    ("Whisper-tiny", WHISPER, "AutoModelForSpeechSeq2Seq", SOUND),
)


def run(bench: Bench) -> None:
    for label, config, auto, inputs in CASES:
        folder = bench.folder / str(config["model_type"])
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config))
        for batch in (1, 4):
            bench.steady(
                f"{label}, batch {batch}, 64 tokens",
                args={"folder": str(folder), "batch": batch, "tokens": 64},
                limits={"tokens/s": 1.5},
                repeats=2 * bench.repeats,
                warmup=1,
                zoo=SOURCE.format(library="zoo_core", auto=auto, inputs=inputs),
                transformers=SOURCE.format(library="transformers", auto=auto, inputs=inputs),
            )
