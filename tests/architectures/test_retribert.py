"""RetriBERT: its loss from its vectors, and files with one encoder and with two."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from zoo_core import AutoConfig, AutoModelForPreTraining

SIZES = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
         "intermediate_size": 20, "projection_dim": 6, "initializer_range": 0.4}  # fmt: skip
QUESTIONS = torch.tensor([[3, 4, 5], [6, 7, 8]])
DOCUMENTS = torch.tensor([[3, 4, 5, 9], [6, 7, 8, 0]])


@torch.no_grad()
@pytest.mark.parametrize("shared", [True, False])
def test_vectors_and_loss(shared: bool, tmp_path: Path) -> None:
    model = AutoModelForPreTraining.from_config(
        AutoConfig.for_model("retribert", share_encoders=shared, **SIZES)
    )
    model.eval().save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        names = set(file.keys())
    assert "bert_query.pooler.dense.weight" in names
    assert ("bert_doc.pooler.dense.weight" in names) != shared
    model = AutoModelForPreTraining.from_pretrained(tmp_path)
    mask = (DOCUMENTS > 0).long()
    questions, documents = model.embed_questions(QUESTIONS), model.embed_answers(DOCUMENTS, mask)
    alone = model.embed_answers(DOCUMENTS[1:, :3])
    torch.testing.assert_close(documents[1:], alone)
    scores = questions @ documents.T
    likely = [scores.log_softmax(dim).diagonal().mean() for dim in (0, 1)]
    torch.testing.assert_close(model(QUESTIONS, None, DOCUMENTS, mask), -(likely[0] + likely[1]) / 2)
