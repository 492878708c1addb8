"""Every feature extractor gives the reference's numbers, and its file survives being loaded and saved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import zoo_core
from zoo_audio.components import COMPONENTS

CASES = sorted((Path(__file__).parent / "processors" / "audio").glob("*.json"))
TOLERANCE = 1e-3  # of the largest value


def wave(n: int, seed: int) -> np.ndarray:
    """A tone with noise."""
    noise = np.random.RandomState(seed).standard_normal(n)
    return (np.sin(np.arange(n) * 0.05 * (1 + seed)) * 0.3 + noise * 0.05).astype("float32")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_recorded_outputs(path: Path, tmp_path: Path) -> None:
    case = json.loads(path.read_text())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(case["config"]))
    extractor = zoo_core.AutoFeatureExtractor.from_pretrained(tmp_path)
    assert type(extractor).__name__ == case["class"]
    waves = [wave(**one) for one in case["waves"]]
    for label, call in case["calls"].items():
        given = waves if label == "pair" else waves[0]
        rate = case["sampling_rate"]
        got = extractor(given, sampling_rate=rate, return_tensors="np", **call["kwargs"])
        for name, expected in call["outputs"].items():
            values = got[name]
            assert (str(values.dtype), list(values.shape)) == (expected["dtype"], expected["shape"]), name
            want = np.asarray(expected["values"])
            places = np.unique(np.linspace(0, values.size - 1, num=len(want)).round().astype(int))
            error = np.abs(values.ravel()[places].astype(float) - want).max()
            assert error <= TOLERANCE * max(1.0, float(np.abs(want).max())), (label, name)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_files_survive(path: Path, tmp_path: Path) -> None:
    config = json.loads(path.read_text())["config"] | {"a_key_of_the_future": [1, {"x": None}]}
    written = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (tmp_path / "preprocessor_config.json").write_text(written)
    zoo_core.AutoFeatureExtractor.from_pretrained(tmp_path).save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "preprocessor_config.json").read_text() == written


def test_every_shipped_extractor_is_recorded() -> None:
    recorded = {json.loads(path.read_text())["class"] for path in CASES}
    assert {name for name in COMPONENTS if name.endswith("FeatureExtractor")} == recorded
