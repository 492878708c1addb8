"""FSMT: few of its checkpoints hold the sinusoids."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoModelForSeq2SeqLM
from zoo_text.fsmt.config import FSMTConfig


def test_sinusoids_are_computed_where_the_file_has_none(tmp_path: Path) -> None:
    config = FSMTConfig(
        src_vocab_size=20, tgt_vocab_size=24, d_model=8, encoder_layers=1, decoder_layers=1,
        encoder_ffn_dim=8, decoder_ffn_dim=8, encoder_attention_heads=2, decoder_attention_heads=2,
        max_position_embeddings=9,
    )  # fmt: skip
    model = AutoModelForSeq2SeqLM.from_config(config).eval()
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    stored = {name: value for name, value in load_file(path).items() if "embed_positions" not in name}
    save_file(stored, path, metadata={"format": "pt"})
    again, info = AutoModelForSeq2SeqLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    ids = torch.tensor([[5, 6, 2, 1], [5, 6, 7, 2]])
    assert torch.equal(again(ids).logits, model(ids).logits)
    assert model(torch.randint(3, 20, (1, 30))).logits.shape == (1, 30, 24)  # the table grows
