"""TAPAS: positions in cells, choosing cells, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_text.tapas.config import TapasConfig
from zoo_text.tapas.model import TapasForQuestionAnswering, positions_in_cells

KINDS = torch.zeros(1, 6, 7, dtype=torch.long)
KINDS[0, 2:, 1] = torch.tensor([1, 1, 2, 2])
KINDS[0, 2:, 2] = 1
IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])


def model(**values: Any) -> TapasForQuestionAnswering:
    torch.manual_seed(0)
    sizes = {"vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return TapasForQuestionAnswering(TapasConfig(**sizes, intermediate_size=16, **values)).eval()


def test_positions_begin_anew_in_each_cell() -> None:
    assert positions_in_cells(KINDS, 10).tolist() == [[0, 1, 0, 1, 0, 1]]


def test_cells_of_one_column_can_be_chosen() -> None:
    logits = model()(IDS, token_type_ids=KINDS).logits[0]
    assert (logits[:2] < -5000).all()  # the question is no cell
    assert logits[2] == logits[3] and logits[4] == logits[5]
    assert sorted((logits[[2, 4]] < -5000).tolist()) == [False, True]


def test_tokens_are_chosen_one_by_one_where_the_config_says_so() -> None:
    labels = torch.tensor([[0, 0, 1, 0, 0, 0]])
    output = model(select_one_column=False)(IDS, token_type_ids=KINDS, labels=labels)
    assert len(set(output.logits[0].tolist())) == 6 and output.loss > 0


def test_bad_input_is_named() -> None:
    with pytest.raises(ConfigError, match="cell_selection_preference"):
        model(use_answer_as_supervision=True)
    with pytest.raises(ValueError, match="needs aggregation_labels"):
        model(num_aggregation_labels=4)(IDS, token_type_ids=KINDS, labels=KINDS[..., 3])
    with pytest.raises(ValueError, match="must be \\(batch, sequence, 7\\)"):
        model()(IDS, token_type_ids=KINDS[..., 0])
    answering = model(num_aggregation_labels=4, use_answer_as_supervision=True, cell_selection_preference=0.5)
    with pytest.raises(ValueError, match="needs float_answer"):
        answering(IDS, token_type_ids=KINDS, labels=KINDS[..., 3])
