"""Models whose linear layers bitsandbytes holds: made while loading, saved, and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from zoo_core import AutoModelForCausalLM, AutoModelForImageTextToText, BitsAndBytesConfig
from zoo_core.errors import CheckpointError
from zoo_text.gpt_neox.config import GPTNeoXConfig

pytest.importorskip("bitsandbytes", reason="not checked: bitsandbytes is not installed")

IDS = torch.arange(10)[None]
NF4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)


def difference(model: Any, exact: Any) -> float:
    """The largest of the logits', over the largest logit."""
    expected = exact(IDS).logits.detach()
    return float((model(IDS).logits.detach().float() - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize(
    ("keywords", "layer", "limit"),
    [
        ({"load_in_8bit": True}, "Linear8bit", 0.05),
        ({"load_in_4bit": True}, "Linear4bit", 0.6),
        ({"quantization_config": NF4}, "Linear4bit", 0.4),
        ({"quantization_config": {"load_in_8bit": True}, "device_map": {"": "cpu"}}, "Linear8bit", 0.05),
    ],
)
def test_quantised_while_loading_and_stored(
    llama: Path, tmp_path: Path, keywords: dict[str, Any], layer: str, limit: float
) -> None:
    exact = AutoModelForCausalLM.from_pretrained(llama)
    model = AutoModelForCausalLM.from_pretrained(llama, **keywords)
    assert type(model.model.layers[0].mlp.up_proj).__name__ == layer
    assert type(model.lm_head).__name__ == "Linear" and model.dtype is torch.float16
    assert 0 < difference(model, exact) < limit
    assert model.get_memory_footprint() < exact.get_memory_footprint() / 2
    expected = model(IDS).logits
    written = model.generate(IDS, max_new_tokens=3, do_sample=False)
    assert written.shape == (1, 13)
    model.save_pretrained(tmp_path / "a")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "a")
    assert torch.equal(again(IDS).logits, expected)
    again.save_pretrained(tmp_path / "b")
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_names_of_modules_are_left_out(llama: Path) -> None:
    config = BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=["mlp", "model.layers.1"])
    layers = AutoModelForCausalLM.from_pretrained(llama, quantization_config=config).model.layers
    kinds = [
        type(x).__name__
        for x in (layers[0].mlp.up_proj, layers[0].self_attn.q_proj, layers[1].self_attn.q_proj)
    ]
    assert kinds == ["Linear", "Linear8bit", "Linear"]


def test_layers_that_a_file_holds_in_one_matrix(tmp_path: Path) -> None:
    """Rows of int8 are laid together and taken apart; other layouts are refused by name."""
    from zoo_multimodal.blip.config import BlipConfig, BlipTextConfig, BlipVisionConfig

    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BlipConfig(
        text_config=BlipTextConfig(**sizes, encoder_hidden_size=32, vocab_size=40).to_dict(),
        vision_config=BlipVisionConfig(**sizes, image_size=8, patch_size=4).to_dict(),
    )
    AutoModelForImageTextToText.from_config(config).save_pretrained(tmp_path / "full")
    model = AutoModelForImageTextToText.from_pretrained(tmp_path / "full", load_in_8bit=True)
    inputs = {"pixel_values": torch.rand(1, 3, 8, 8, dtype=torch.float16), "input_ids": IDS[:, :4]}
    expected = model(**inputs).logits
    model.save_pretrained(tmp_path / "small")
    held = load_file(tmp_path / "small" / "model.safetensors")
    assert held["vision_model.encoder.layers.0.self_attn.qkv.SCB"].shape == (96,)
    again = AutoModelForImageTextToText.from_pretrained(tmp_path / "small")
    torch.testing.assert_close(again(**inputs).logits, expected)

    neox = GPTNeoXConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, vocab_size=40
    )
    AutoModelForCausalLM.from_config(neox).save_pretrained(tmp_path / "neox")
    fused = AutoModelForCausalLM.from_pretrained(tmp_path / "neox", load_in_8bit=True)
    with pytest.raises(CheckpointError, match="query_key_value"):
        fused.save_pretrained(tmp_path / "no")


def test_the_checkpoint_decides_how_it_is_read(llama: Path, tmp_path: Path) -> None:
    AutoModelForCausalLM.from_pretrained(llama, load_in_8bit=True).save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="quantised already"):
        model = AutoModelForCausalLM.from_pretrained(tmp_path, load_in_4bit=True)
    assert model.is_loaded_in_8bit and not model.is_loaded_in_4bit
    assert model.config.quantization_config.load_in_8bit


def test_blip_2_as_documented(tmp_path: Path) -> None:
    """In 8 bits the language model answers; what float16 is too small for stays float32."""
    from zoo_multimodal.blip_2.config import Blip2Config, Blip2QFormerConfig, Blip2VisionConfig
    from zoo_text.opt.config import OPTConfig

    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2, "num_hidden_layers": 2}
    text = {"hidden_size": 32, "ffn_dim": 48, "num_attention_heads": 2, "num_hidden_layers": 1}
    config = Blip2Config(
        Blip2VisionConfig(**sizes, image_size=28), Blip2QFormerConfig(**sizes, vocab_size=60),
        OPTConfig(**text, vocab_size=60, word_embed_proj_dim=32), 4, image_token_index=59,
    )  # fmt: skip
    AutoModelForImageTextToText.from_config(config).save_pretrained(tmp_path)
    model = AutoModelForImageTextToText.from_pretrained(
        tmp_path, load_in_8bit=True, device_map={"": "cpu"}, dtype=torch.float16
    )
    assert type(model.language_projection).__name__ == "Linear8bit" and model.qformer.dtype is torch.float32
    inputs = {"pixel_values": torch.rand(1, 3, 28, 28).half(), "input_ids": torch.tensor([[59] * 4 + [5, 6]])}
    assert model(**inputs).logits.dtype is torch.float16
    assert model.generate(**inputs, max_new_tokens=3, min_new_tokens=3).shape == (1, 9)
