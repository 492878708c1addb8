"""Evolla: proteins and the conversations about them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_core import AutoConfig, AutoModelForImageTextToText, AutoProcessor
from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.evolla.processor import EvollaProcessor
from zoo_text.tokenizers.small import EsmTokenizer

TALK = [{"role": "user", "content": "what why"}]
PROTEINS = [{"aa_seq": "MkT", "foldseek": "dPv"}, {"aa_seq": "M", "foldseek": "#"}]


@pytest.fixture
def processor(words: PreTrainedTokenizerFast, tmp_path: Path) -> EvollaProcessor:
    pairs = ["".join(pair) for pair in product("MKT", "dpv#")]
    (tmp_path / "vocab.txt").write_text("\n".join(["<cls>", "<pad>", "<eos>", "<unk>", "<mask>", *pairs]))
    words.chat_template = "{% for message in messages %}{{ message.content }} {% endfor %}"
    words.padding_side = "left"
    return EvollaProcessor(EsmTokenizer(tmp_path / "vocab.txt"), words)


def test_a_protein_is_spelled_in_pairs(processor: EvollaProcessor) -> None:
    batch = processor(PROTEINS, [TALK, TALK + TALK])
    assert batch["protein_input_ids"].tolist() == [[0, 5, 10, 15, 2], [0, 8, 2, 1, 1]]
    assert batch["input_ids"].tolist() == [[0, 0, 2, 3], [2, 3, 2, 3]]
    assert batch["attention_mask"].tolist() == [[0, 0, 1, 1], [1, 1, 1, 1]]
    assert processor(PROTEINS[0], TALK, protein_max_length=3)["protein_input_ids"].tolist() == [[0, 5, 2]]
    assert processor.protein_decode([0, 5, 10, 2], skip_special_tokens=True) == "Md Kp"


def test_saving_keeps_both_tokenizers(processor: EvollaProcessor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert again(PROTEINS[0], TALK)["protein_input_ids"].tolist() == [[0, 5, 10, 15, 2]]
    assert again(PROTEINS[0], TALK)["input_ids"].tolist() == [[2, 3]]


@pytest.mark.parametrize(
    ("proteins", "named"),
    [
        ([PROTEINS[0], {"aa_seq": "MK", "foldseek": "d"}], "protein 1 has, by length"),
        ([{"aa_seq": "MK"}, PROTEINS[1]], "protein 0 has, by length"),
        (PROTEINS[:1], "1 proteins and 2 conversations"),
    ],
)
def test_what_does_not_match_is_named(processor: EvollaProcessor, proteins: Any, named: str) -> None:
    with pytest.raises(ProcessingError, match=named):
        processor(proteins, [TALK, TALK])


@pytest.mark.parametrize("saved_as", ["evolla", "EvollaModel"])
def test_a_protein_is_asked_about(processor: EvollaProcessor, tmp_path: Path, saved_as: str) -> None:
    config = AutoConfig.for_model(
        saved_as, vocab_size=12, hidden_size=16, intermediate_size=24, num_hidden_layers=2, pad_token_id=0,
        num_attention_heads=4, num_key_value_heads=2, aligner_num_add_layers=1, resampler_depth=1,
        resampler_heads=2, resampler_dim_head=4, resampler_num_latents=3,
        protein_encoder_config={"vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 1,
                                "num_attention_heads": 2, "intermediate_size": 24},
    )  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config).eval()
    with torch.no_grad():
        model.model.layers[1].adapter.gate_attention.fill_(1.0)
    batch = processor(PROTEINS, [TALK, TALK + TALK])
    settings = {"max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False}
    both = model.generate(**batch, **settings)
    assert torch.equal(both, model.generate(**batch, **settings, use_cache=False))
    alone = model.generate(**processor(PROTEINS[0], TALK), **settings)
    assert torch.equal(both[0, 2:], alone[0])
    plain = {name: batch[name] for name in ("input_ids", "attention_mask")}
    assert not torch.allclose(model(**batch).logits, model(**plain).logits)
    with pytest.raises(ValueError, match="1 proteins for 2 texts"):
        model(**{**batch, "protein_input_ids": batch["protein_input_ids"][:1]})
    model.save_pretrained(tmp_path)
    again = AutoModelForImageTextToText.from_pretrained(tmp_path)
    assert torch.equal(again.generate(**batch, **settings), both)
