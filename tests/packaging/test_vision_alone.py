"""zoo-core and zoo-vision without the other packages, and a third party's image architecture on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PREPARE = """
import sys
import numpy as np
import torch
import zoo_core
from zoo_core import AutoConfig, AutoImageProcessor, AutoModelForImageClassification

def classify(config, processor):
    torch.manual_seed(0)
    config = AutoConfig.for_model(config.pop("model_type"), **config)
    model = AutoModelForImageClassification.from_config(config)
    model.save_pretrained("model")
    processor.save_pretrained("model")
    pixels = AutoImageProcessor.from_pretrained("model")(
        np.zeros((40, 60, 3), dtype=np.uint8), return_tensors="pt"
    )
    again = AutoModelForImageClassification.from_pretrained("model")
    with torch.no_grad():
        assert torch.equal(again(**pixels).logits, model.eval()(**pixels).logits)
    return again, pixels
"""
MIXER = """
from zoo_test_vision.mixer.processor import MixerImageProcessor
config = {"model_type": "mixer", "image_size": 32, "patch_size": 8, "hidden_size": 16, "tokens_mlp_dim": 8,
          "channels_mlp_dim": 24, "num_hidden_layers": 2, "num_labels": 3}
processor = MixerImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32})
"""


def python(folder: Path, source: str, *path: Path, isolated: bool) -> str:
    """Run ``source`` in ``folder``; isolated, it sees only ``path`` and the standard library."""
    options = ["-I", "-S"] if isolated else []
    prelude = f"import sys; sys.path[:0] = {[str(place) for place in path]}\n"
    done = subprocess.run(
        [sys.executable, *options, "-c", prelude + source],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_images_need_nothing_of_text_or_sound(vision_alone: Path, tmp_path: Path) -> None:
    source = (
        PREPARE
        + """
from zoo_core import registry
config = {"model_type": "vit", "image_size": 32, "patch_size": 8, "hidden_size": 16, "intermediate_size": 24,
          "num_hidden_layers": 1, "num_attention_heads": 2}
classify(config, registry.component("ViTImageProcessor")(size={"height": 32, "width": 32}))
assert not [name for name in sys.modules if name.startswith(("zoo_text", "zoo_audio", "zoo_multimodal"))]
try:
    AutoConfig.for_model("bert")
except Exception as error:
    print(error)
"""
    )
    said = python(tmp_path, source, vision_alone, vision_alone.parent / "others", isolated=True)
    assert "pip install zoo-text" in said


def test_a_third_party_architecture_works_with_vision_alone(vision_alone: Path, tmp_path: Path) -> None:
    source = (
        PREPARE
        + MIXER
        + """
model, pixels = classify(config, processor)
print(type(model).__name__, tuple(model(**pixels).logits.shape))
from safetensors import safe_open
with safe_open("model/model.safetensors", "pt") as file:
    assert "mixer.layers.0.token_mixing.fc1.weight" in file.keys()
"""
    )
    said = python(tmp_path, source, vision_alone, vision_alone.parent / "others", isolated=True)
    assert said == "MixerForImageClassification (1, 3)\n"


def test_it_reads_for_a_text_decoder(vision_alone: Path, tmp_path: Path) -> None:
    """Beside all five packages the same architecture is the encoder of a composite."""
    only = tmp_path / "only"
    only.mkdir()
    for path in vision_alone.glob("zoo_test_vision*"):
        (only / path.name).symlink_to(path)
    source = (
        PREPARE
        + MIXER
        + """
from zoo_core import AutoModelForImageTextToText
from zoo_multimodal.vision_encoder_decoder.config import VisionEncoderDecoderConfig
encoder = AutoConfig.for_model(config.pop("model_type"), **config)
decoder = AutoConfig.for_model("bert", hidden_size=16, vocab_size=40, intermediate_size=24,
                               num_hidden_layers=1, num_attention_heads=2)
joint = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
model = AutoModelForImageTextToText.from_config(joint).eval()
model.save_pretrained("joint")
again = AutoModelForImageTextToText.from_pretrained("joint")
pixels = processor(np.zeros((40, 60, 3), dtype=np.uint8), return_tensors="pt")
settings = dict(decoder_start_token_id=1, max_new_tokens=4, min_new_tokens=4, do_sample=False)
assert torch.equal(again.generate(**pixels, **settings), model.generate(**pixels, **settings))
print(type(again.encoder).__name__)
"""
    )
    assert python(tmp_path, source, only, isolated=False) == "MixerModel\n"
