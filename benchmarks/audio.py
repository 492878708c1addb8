"""Log-mel features of Whisper for eight clips of thirty seconds."""

from harness import Bench

SOURCE = """
import numpy as np
random = np.random.RandomState(0)
clips = [(random.standard_normal(480000) * 0.1).astype(np.float32) for _ in range(args["clips"])]
{load}
def step():
    features = extractor(clips, sampling_rate=16000, return_tensors="pt")["input_features"]
    assert tuple(features.shape) == (len(clips), 80, 3000)
"""
ZOO = """
from zoo_core import AutoFeatureExtractor
import json, pathlib
folder = pathlib.Path(args["folder"]); folder.mkdir(exist_ok=True)
(folder / "preprocessor_config.json").write_text('{"feature_extractor_type": "WhisperFeatureExtractor"}')
extractor = AutoFeatureExtractor.from_pretrained(folder)
"""
TRANSFORMERS = """
from transformers import WhisperFeatureExtractor
extractor = WhisperFeatureExtractor()
"""


def run(bench: Bench) -> None:
    for clips in (1, 8):
        bench.steady(
            f"Whisper, {clips} clips of 30 s",
            args={"clips": clips, "folder": str(bench.folder / "audio")},
            limits={"seconds": 1 / 4} if clips == 8 else {},
            repeats=2 * bench.repeats,
            warmup=1,
            zoo=SOURCE.replace("{load}", ZOO),
            transformers=SOURCE.replace("{load}", TRANSFORMERS),
        )
