"""Phi-4-multimodal: canvases of tiles, placeholders, and what a row has to do with another's media."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from zoo_audio.features.frames import Phi4MultimodalFeatureExtractor
from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.phi4_multimodal.audio import WINDOW, Phi4MultimodalAudioModel
from zoo_multimodal.phi4_multimodal.config import Phi4MultimodalAudioConfig, Phi4MultimodalConfig
from zoo_multimodal.phi4_multimodal.model import Phi4MultimodalForCausalLM
from zoo_multimodal.phi4_multimodal.processor import Phi4MultimodalProcessor
from zoo_vision.processing.tiles_masked import Phi4MultimodalImageProcessorFast

IMAGES = Phi4MultimodalImageProcessorFast()
AUDIO: dict[str, Any] = {
    "hidden_size": 8, "num_attention_heads": 2, "num_blocks": 1, "intermediate_size": 8, "audio_token_id": 8,
    "depthwise_separable_out_channel": 8, "nemo_conv_channels": 2, "ext_pw_out_channel": 8, "input_size": 16,
}  # fmt: skip
CONFIG = Phi4MultimodalConfig(
    hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, intermediate_size=16,
    vocab_size=20, pad_token_id=0, eos_token_id=None, audio_config=AUDIO,
    vision_config={
        "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 8,
        "crop_size": 8, "image_size": 8, "patch_size": 4, "image_token_id": 7,
    },
)  # fmt: skip


@pytest.fixture
def model() -> Phi4MultimodalForCausalLM:
    torch.manual_seed(0)
    return Phi4MultimodalForCausalLM(CONFIG).eval()


@pytest.mark.parametrize(  # measured on the reference
    ("size", "canvas", "tokens", "kept"),
    [
        ((100, 200), [448, 448], 409, [1024, 512]),
        ((300, 1000), [448, 1344], 1008, [1024, 928, 928, 928]),
        ((1000, 300), [1344, 448], 1041, [1024, 928, 928, 928]),
        ((449, 448), [896, 448], 562, [1024, 1024, 32]),
        ((2000, 1500), [2240, 1792], 5153, [1024, *[1024, 1024, 1024, 768] * 5]),
    ],
)
def test_canvas(size: tuple[int, int], canvas: list[int], tokens: int, kept: list[int]) -> None:
    out = IMAGES(np.zeros((*size, 3), dtype=np.uint8), return_tensors="np")
    assert out["image_sizes"].tolist() == [canvas]
    assert out["num_img_tokens"].tolist() == [tokens]
    assert out["image_attention_mask"][0].sum((1, 2)).tolist() == kept


def test_placeholders(words: PreTrainedTokenizerFast) -> None:
    processor = Phi4MultimodalProcessor(IMAGES, Phi4MultimodalFeatureExtractor(), words)
    assert processor.replacements("images", {"num_img_tokens": [3, 5]}, {}) == [3, 5]
    with pytest.raises(ProcessingError, match="too extreme"):
        IMAGES(np.zeros((900, 3, 3), dtype=np.uint8))
    with pytest.raises(ProcessingError, match="for 0 images"):
        processor("what <|endoftext10|>")
    with pytest.raises(ProcessingError, match="for 2 audios"):
        processor("what <|endoftext11|>", audio=[np.zeros(4000, np.float32)] * 2)


def test_images_of_beams_and_left_padding(model: Phi4MultimodalForCausalLM) -> None:
    """One row has two images (7 features each), the other one and padding."""
    ids = torch.tensor([[1] + [7] * 5 + [9] + [7] * 5, [0] * 6 + [1] + [7] * 5])
    media = {"image_pixel_values": torch.rand(3, 2, 3, 8, 8), "image_sizes": torch.tensor([[8, 8]] * 3)}
    options: dict[str, Any] = {"max_new_tokens": 3, "num_beams": 2, "suppress_tokens": [7, 8]}
    found = model.generate(ids, attention_mask=(ids != 0).long(), **media, **options)
    alone = {name: value[2:] for name, value in media.items()}
    single = model.generate(ids[1:, 6:], **alone, **options)
    assert found[1, 12:].tolist() == single[0, 6:].tolist()
    uncached = model.generate(ids, attention_mask=(ids != 0).long(), **media, **options, use_cache=False)
    assert found.tolist() == uncached.tolist()


def test_bad_input_is_named(model: Phi4MultimodalForCausalLM) -> None:
    ids, pixels = torch.tensor([[1] + [7] * 5]), torch.rand(1, 2, 3, 8, 8)
    with pytest.raises(ValueError, match="1x2 tiles of 8 pixels and a whole, and image_pixel_values hold 2"):
        model(ids, image_pixel_values=pixels, image_sizes=torch.tensor([[8, 16]]))
    with pytest.raises(ValueError, match="come with image_sizes"):
        model(ids, image_pixel_values=pixels)
    with pytest.raises(ValueError, match="4 image placeholder tokens for 5"):
        model(ids[:, :-1], image_pixel_values=pixels, image_sizes=torch.tensor([[8, 8]]))
    with pytest.warns(UserWarning, match="no audio placeholder"):
        model(ids[:, :1], audio_input_features=torch.rand(1, 16, 16), audio_embed_sizes=torch.tensor([2]))


def test_long_sounds_are_read_in_windows() -> None:
    torch.manual_seed(0)
    encoder = Phi4MultimodalAudioModel(Phi4MultimodalAudioConfig(**AUDIO)).eval()
    sound = torch.rand(1, 8 * (WINDOW + 3), 16)
    mask = torch.ones(sound.shape[:2], dtype=torch.bool)
    states = encoder(sound, mask).last_hidden_state
    assert states.shape == (1, WINDOW + 3, 8)
    torch.testing.assert_close(states[:, : WINDOW - 1], encoder(sound[:, : 8 * WINDOW])[0][:, : WINDOW - 1])
