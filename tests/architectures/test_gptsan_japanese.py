"""GPTSAN: prefixes, the spout and padding while it generates, and its tokenizer's prefixes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from zoo_core.errors import TokenizerError
from zoo_text.gptsan_japanese.config import GPTSanJapaneseConfig
from zoo_text.gptsan_japanese.model import GPTSanJapaneseForConditionalGeneration
from zoo_text.tokenizers.chinese_japanese import GPTSanJapaneseTokenizer

CONFIG = GPTSanJapaneseConfig(
    vocab_size=60,
    max_position_embeddings=40,
    d_model=16,
    d_ff=24,
    d_ext=20,
    d_spout=6,
    num_switch_layers=2,
    num_ext_layers=1,
    num_heads=2,
    num_experts=3,
    initializer_factor=1.0,
    pad_token_id=55,
    eos_token_id=59,
)
IDS = torch.arange(3, 17).view(2, 7)
PREFIX = torch.tensor([[1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0]])
SPOUT = torch.tensor([[1.0, -1, 2, 0.5, 0, 1], [0, 1, -1, 1, 2, 0.5]])


@pytest.mark.parametrize(
    "inputs", [{}, {"token_type_ids": PREFIX}, {"token_type_ids": PREFIX, "spout": SPOUT}]
)
@pytest.mark.parametrize("num_beams", [1, 3])
def test_generation_needs_neither_cache_nor_equal_lengths(
    inputs: dict[str, torch.Tensor], num_beams: int
) -> None:
    torch.manual_seed(0)
    model = GPTSanJapaneseForConditionalGeneration(CONFIG).eval()
    options = {"max_new_tokens": 6, "min_new_tokens": 6, "num_beams": num_beams}
    cached = model.generate(IDS, **options, **inputs)
    assert torch.equal(cached, model.generate(IDS, use_cache=False, **options, **inputs))
    padded = {name: value for name, value in inputs.items() if name == "spout"}
    if "token_type_ids" in inputs:
        padded["token_type_ids"] = torch.nn.functional.pad(PREFIX, (3, 0))
    ids = torch.nn.functional.pad(IDS, (3, 0), value=55)
    found = model.generate(ids, attention_mask=(ids != 55).long(), **options, **padded)
    assert torch.equal(found[:, 3:], cached)
    if inputs:
        assert not torch.allclose(model(IDS, **inputs).logits, model(IDS).logits, atol=1e-4)


@pytest.fixture
def tokenizer(tmp_path: Path) -> GPTSanJapaneseTokenizer:
    words = ["こん", "にちは", "世界,㔺界", "私", "は", "<SP>", "<|bagoftoken|>", "<|startoftext|>"]
    words += ["<|separator|>", "<|segmenter|>", "<|nottoken|>", "<|endoftext|>"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (tmp_path / "emoji.json").write_text(json.dumps({"emoji": {}, "emoji_inv": {}}))
    return GPTSanJapaneseTokenizer(tmp_path / "vocab.txt", tmp_path / "emoji.json")


def test_prefixes(tokenizer: GPTSanJapaneseTokenizer) -> None:
    plain = tokenizer("こんにちは㔺界")
    assert plain["input_ids"] == [7, 9, 0, 1, 2] and plain["token_type_ids"] == [1, 0, 0, 0, 0]
    assert tokenizer.decode(plain["input_ids"]) == "こんにちは世界"
    assert tokenizer.decode([3, 6, 4]) == "私私私私は"
    prefixed = {"input_ids": [7, 3, 4, 9, 0], "token_type_ids": [1, 1, 1, 0, 0], "attention_mask": [1] * 5}
    assert dict(tokenizer("こん", prefix_text="私は")) == prefixed
    assert dict(tokenizer("私は<|segmenter|>こん")) == prefixed
    pairs = tokenizer([["私は", "こん"], ["", "は"]], padding=True)
    assert pairs["input_ids"] == [[7, 3, 4, 9, 0], [7, 9, 4, 8, 8]]
    assert dict(tokenizer(["こん", "は"], prefix_text=["私は", ""], padding=True)) == dict(pairs)
    with pytest.raises(TokenizerError, match="prefix_text"):
        tokenizer(["こん", "は"], prefix_text=["私は"])
