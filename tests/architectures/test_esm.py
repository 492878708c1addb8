"""ESM: contacts from attention maps, and files with or without the frequencies of its rotary positions."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoModelForMaskedLM
from zoo_text.esm.config import EsmConfig
from zoo_text.esm.model import EsmForMaskedLM

CONFIG = EsmConfig(
    vocab_size=33,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=8,
    pad_token_id=1,
    position_embedding_type="rotary",
)


def test_contacts_are_symmetric_and_leave_out_the_ends() -> None:
    model = EsmForMaskedLM(CONFIG).eval()
    ids = torch.tensor([[0, 4, 5, 6, 7, 2, 1], [0, 4, 8, 5, 6, 7, 2]])
    contacts = model.predict_contacts(ids, (ids != 1).long())
    assert contacts.shape == (2, 5, 5) and bool(((contacts > 0) & (contacts < 1)).all())
    torch.testing.assert_close(contacts, contacts.transpose(1, 2))


def test_frequencies_are_read_where_the_file_has_them(tmp_path: Path) -> None:
    model = EsmForMaskedLM(CONFIG)
    model.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    name = "esm.encoder.layer.1.attention.self.rotary_embeddings.inv_freq"
    weights = load_file(file)
    torch.testing.assert_close(weights[name], torch.tensor([1.0, 0.01]))
    save_file({**weights, name: weights[name] * 2}, file, metadata={"format": "pt"})
    read = AutoModelForMaskedLM.from_pretrained(tmp_path).model.layers[1].self_attn.rotary.inv_freq
    torch.testing.assert_close(read, torch.tensor([2.0, 0.02]))
    save_file({k: v for k, v in weights.items() if k != name}, file, metadata={"format": "pt"})
    made = AutoModelForMaskedLM.from_pretrained(tmp_path).model.layers[1].self_attn.rotary.inv_freq
    torch.testing.assert_close(made, torch.tensor([1.0, 0.01]))
