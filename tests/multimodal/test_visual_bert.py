"""VisualBERT: regions behind the text, before all layers or after them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_multimodal.visual_bert.config import VisualBertConfig
from zoo_multimodal.visual_bert.model import (
    VisualBertForPreTraining,
    VisualBertForRegionToPhraseAlignment,
    VisualBertModel,
)

IDS = torch.tensor([[5, 6, 7]])
REGIONS = torch.rand(1, 4, 8, generator=torch.Generator().manual_seed(0))
SEEN = torch.tensor([[1, 1, 0, 0]])


def config(**values: Any) -> VisualBertConfig:
    return VisualBertConfig(
        vocab_size=20, hidden_size=16, visual_embedding_dim=8, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=24, initializer_range=0.3, **values,
    )  # fmt: skip


@pytest.mark.parametrize("bypass", [False, True])
def test_hidden_regions_change_nothing(bypass: bool) -> None:
    model = VisualBertModel(config(bypass_transformer=bypass)).eval()
    padded = model(IDS, visual_embeds=REGIONS, visual_attention_mask=SEEN)
    alone = model(IDS, visual_embeds=REGIONS[:, :2])
    assert padded.last_hidden_state.shape == (1, 7, 16)
    torch.testing.assert_close(padded.last_hidden_state[:, :5], alone.last_hidden_state)
    other = model(IDS, visual_embeds=REGIONS[:, 2:])
    assert not torch.allclose(other.pooler_output, alone.pooler_output)


def test_tables_of_regions_begin_as_those_of_the_text() -> None:
    tables = VisualBertModel(config()).embeddings
    assert torch.equal(tables.visual_position_embeddings.weight, tables.position_embeddings.weight)
    other = VisualBertModel(config(special_visual_initialize=False)).embeddings
    assert not torch.equal(other.visual_position_embeddings.weight, other.position_embeddings.weight)


def test_phrases_choose_among_the_regions_that_are_there() -> None:
    model = VisualBertForRegionToPhraseAlignment(config()).eval()
    scores = model(
        IDS,
        region_to_phrase_position=torch.tensor([[1, -1]]),
        visual_embeds=REGIONS,
        visual_attention_mask=SEEN,
    ).logits.softmax(-1)
    assert scores.shape == (1, 2, 4) and scores[..., 2:].eq(0).all()


def test_bad_input_is_named() -> None:
    model = VisualBertForPreTraining(config())
    with pytest.raises(ValueError, match="must cover text and regions"):
        model(IDS, visual_embeds=REGIONS, labels=IDS)
    with pytest.raises(ValueError, match="1 texts came with regions of 2 images"):
        model(IDS, visual_embeds=REGIONS.repeat(2, 1, 1))
