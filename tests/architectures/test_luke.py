"""LUKE's heads on entities, which no Auto class builds."""

from __future__ import annotations

import pytest
import torch

from zoo_text.luke import model as luke
from zoo_text.luke.config import LukeConfig

SIZES = {
    "vocab_size": 20,
    "entity_vocab_size": 7,
    "hidden_size": 8,
    "entity_emb_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 16,
    "num_labels": 3,
}
IDS = torch.arange(2, 14).view(2, 6)
ENTITIES = {
    "entity_ids": torch.tensor([[1, 2], [3, 4]]),
    "entity_position_ids": torch.tensor([[[1, 2], [3, -1]], [[2, -1], [4, 5]]]),
}
SPANS = {
    "entity_start_positions": torch.tensor([[1, 3], [2, 4]]),
    "entity_end_positions": torch.tensor([[2, 3], [2, 5]]),
}


@pytest.mark.parametrize(
    ("name", "inputs", "shape"),
    [
        ("LukeForEntityClassification", {}, (2, 3)),
        ("LukeForEntityPairClassification", {}, (2, 3)),
        ("LukeForEntitySpanClassification", SPANS, (2, 2, 3)),
    ],
)
def test_entities_are_classified(name, inputs, shape) -> None:
    model = getattr(luke, name)(LukeConfig(**SIZES)).eval()
    classes = torch.ones(shape[:-1], dtype=torch.long)
    output = model(IDS, **ENTITIES, **inputs, labels=classes)
    assert output.logits.shape == shape
    chosen = output.logits.log_softmax(-1)[..., 1]
    assert torch.isclose(output.loss, -chosen.mean())
    held = model(IDS, **ENTITIES, **inputs, labels=torch.ones(shape)).loss
    assert torch.isclose(held, -output.logits.sigmoid().log().mean())
    with pytest.raises(ValueError, match="entity_ids"):
        model(IDS)


def test_what_entities_need_is_named() -> None:
    model = luke.LukeForEntitySpanClassification(LukeConfig(**SIZES))
    with pytest.raises(ValueError, match="entity_position_ids"):
        model(IDS, entity_ids=ENTITIES["entity_ids"])
    with pytest.raises(ValueError, match="entity_start_positions and entity_end_positions"):
        model(IDS, **ENTITIES)


def test_a_hidden_entity_changes_no_word() -> None:
    model = luke.LukeModel(LukeConfig(**SIZES)).eval()
    alone = model(IDS).last_hidden_state
    hidden = model(IDS, **ENTITIES, entity_attention_mask=torch.zeros(2, 2, dtype=torch.long))
    assert torch.allclose(alone, hidden.last_hidden_state, atol=1e-6)
    assert not torch.allclose(alone, model(IDS, **ENTITIES).last_hidden_state, atol=1e-6)
