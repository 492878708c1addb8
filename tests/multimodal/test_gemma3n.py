"""Gemma 3n: its image tower against timm's, and images and sounds in a text."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
import torch

from zoo_audio.features.frames import Gemma3nAudioFeatureExtractor
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.gemma3n.config import Gemma3nConfig
from zoo_multimodal.gemma3n.model import Gemma3nForConditionalGeneration
from zoo_multimodal.gemma3n.processor import Gemma3nProcessor
from zoo_vision.gemma3n_vision.config import Gemma3nVisionConfig
from zoo_vision.processing.classification import SiglipImageProcessor
from zoo_vision.timm_backbone.mobilenetv5 import MOBILENETV5_300M, Attend, Fused, Inverted, MobileNetV5
from zoo_vision.timm_backbone.networks import NETWORKS
from zoo_vision.timm_wrapper.model import TimmWrapperModel

SMALL = (
    [Fused(16, 4, 2), Fused(16, 4)],
    [Inverted(16, 6, 3, 5, 2), Inverted(16, 4, 5)],
    [Inverted(32, 6, 5, 5, 2), Inverted(32, 1), Attend(32, 2, 8, 2), Inverted(32, 2)],
    [Inverted(48, 6, 5, 5, 2), Attend(48, 3, 8), Inverted(48, 2)],
)


def weight(name: str, shape: torch.Size) -> torch.Tensor:
    values = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(tuple(shape))
    if len(shape) > 1:
        return torch.from_numpy((values * np.prod(shape[1:]) ** -0.5).astype("float32"))
    return torch.from_numpy((values * 0.3 + (not name.endswith("bias"))).astype("float32"))


@pytest.mark.parametrize(  # measured on timm 1.0.31
    ("size", "expected"),
    [
        ((128, 128), [0.23011, -0.68329, 0.20011, 0.65706, 0.21803, 0.29395, 0.96965]),
        ((100, 132), [0.05332, -0.82027, 0.23494, 0.89987, 0.35535, 0.27943, 0.63575]),
    ],
)
def test_network_is_timms(size: tuple[int, int], expected: list[float]) -> None:
    network = MobileNetV5(SMALL, stem=8, side=4).eval()
    names = {name: name.replace("layer_scale.weight", "layer_scale.gamma") for name in network.state_dict()}
    network.load_state_dict({k: weight(names[k], v.shape) for k, v in network.state_dict().items()})
    pixels = np.random.RandomState(5).standard_normal((1, 3, *size)).astype("float32")
    state, maps = network(torch.from_numpy(pixels))
    assert state.shape == (1, 2048, 4, 4)
    assert [len(one[0]) for one in maps] == [8, 16, 16, 32, 48]
    torch.testing.assert_close(state.flatten()[::5003], torch.tensor(expected), atol=1e-4, rtol=1e-4)


def test_published_network_has_its_size() -> None:
    with torch.device("meta"):
        network = MobileNetV5(MOBILENETV5_300M)
    assert len(network.state_dict()) == 548
    assert sum(parameter.numel() for parameter in network.parameters()) == 294_126_912


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Gemma3nForConditionalGeneration:
    """A small one with a small tower."""

    def small(name: str) -> MobileNetV5:
        return MobileNetV5(SMALL, stem=8, width=24, side=2)

    monkeypatch.setitem(NETWORKS, "mobilenetv5_300m_enc", small)
    torch.manual_seed(0)
    config = Gemma3nConfig(
        text_config={
            "vocab_size": 40, "vocab_size_per_layer_input": 20, "hidden_size": 16, "num_hidden_layers": 2,
            "hidden_size_per_layer_input": 4, "intermediate_size": [16, 16], "num_attention_heads": 2,
            "num_key_value_heads": 1, "head_dim": 8, "layer_types": ["sliding_attention", "full_attention"],
            "num_kv_shared_layers": 0, "laurel_rank": 2, "activation_sparsity_pattern": [0.5, 0.0],
            "pad_token_id": 0,
        },
        vision_config={"hidden_size": 24, "vocab_size": 5, "vocab_offset": 25},
        audio_config={
            "vocab_size": 10, "vocab_offset": 30, "hidden_size": 8, "input_feat_size": 8,
            "conf_num_hidden_layers": 1, "conf_num_attention_heads": 2, "sscp_conv_channel_size": [2, 2],
        },
        image_token_id=26, audio_token_id=31, audio_soft_tokens_per_image=3,
    )  # fmt: skip
    return Gemma3nForConditionalGeneration(config).eval()


def test_left_padding_and_beams(model: Gemma3nForConditionalGeneration) -> None:
    """One row has an image (4 features) and a sound (3), the other padding and an image."""
    ids = torch.tensor([[1] + [26] * 4 + [5] + [31] * 3 + [6], [0] * 5 + [1] + [26] * 4])
    sound = {"input_features": torch.rand(1, 32, 8), "input_features_mask": torch.ones(1, 32).bool()}
    pixels = torch.rand(2, 3, 64, 64)
    options: dict[str, Any] = {
        "max_new_tokens": 3,
        "num_beams": 2,
        "eos_token_id": None,
        "suppress_tokens": [26, 31],
    }
    media = {"attention_mask": (ids != 0).long(), "pixel_values": pixels, **sound}
    found = model.generate(ids, **media, **options)
    alone = model.generate(ids[1:, 5:], pixel_values=pixels[1:], **options)
    assert found[1, 10:].tolist() == alone[0, 5:].tolist()
    assert found.tolist() == model.generate(ids, **media, **options, use_cache=False).tolist()


def test_bad_input_is_named(model: Gemma3nForConditionalGeneration) -> None:
    ids, sound = torch.tensor([[1] + [31] * 3]), torch.rand(1, 32, 8)
    with pytest.raises(ValueError, match="come with input_features_mask"):
        model(ids, input_features=sound)
    with pytest.raises(ValueError, match="a sound has 4 features, and the model takes 3"):
        model(ids, input_features=torch.rand(1, 64, 8), input_features_mask=torch.ones(1, 64).bool())
    with pytest.raises(ValueError, match="3 image placeholder tokens for 4"):
        model(torch.tensor([[26] * 3]), pixel_values=torch.rand(1, 3, 64, 64))
    with pytest.raises(ValueError, match="may hold nothing here, not"):
        TimmWrapperModel(Gemma3nVisionConfig(model_args={"in_chans": 4}))


def test_marks_become_paragraphs(words: PreTrainedTokenizerFast) -> None:
    tokens = {f"{end}{what}_token": f"<{end}{what}>" for what in "ia" for end in ("bo", "eo")}
    for name, token in {**tokens, "image_token": "<image>", "audio_token": "<audio>"}.items():
        setattr(words, name, token)
    images = SiglipImageProcessor(size={"height": 8, "width": 8})
    processor = Gemma3nProcessor(Gemma3nAudioFeatureExtractor(), images, words, image_seq_length=2)
    assert processor.replacements("images", {"pixel_values": [0]}, {}) == ["\n\n<boi><image><image><eoi>\n\n"]
    sounds = processor.replacements("audio", {"input_features": [0, 0]}, {})
    assert [one.count("<audio>") for one in sounds] == [188, 188]
    assert processor.kinds_of_tokens() == {"<image>": 1, "<audio>": 3}
