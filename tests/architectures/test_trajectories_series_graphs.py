"""Trajectories, time series and graphs: caches, losses, padding and bad input, beyond the recorded cases."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from zoo_text.decision_transformer.config import DecisionTransformerConfig
from zoo_text.decision_transformer.model import DecisionTransformerModel
from zoo_text.graphormer.config import GraphormerConfig
from zoo_text.graphormer.model import GraphormerForGraphClassification, graph_loss
from zoo_text.timesfm.config import TimesFmConfig
from zoo_text.timesfm.model import TimesFmModelForPrediction, decomposed, first_moments
from zoo_text.trajectory_transformer.config import TrajectoryTransformerConfig
from zoo_text.trajectory_transformer.model import TrajectoryTransformerModel


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_a_decision_does_not_depend_on_padding_before_it() -> None:
    config = DecisionTransformerConfig(
        state_dim=3, act_dim=2, hidden_size=8, n_layer=2, n_head=2, max_ep_len=20
    )
    model = DecisionTransformerModel(config).eval()
    steps = {
        "states": torch.randn(1, 2, 3),
        "actions": torch.randn(1, 2, 2),
        "returns_to_go": torch.randn(1, 2, 1),
        "timesteps": torch.tensor([[5, 6]]),
    }
    alone = model(**steps).action_preds
    longer = {name: F.pad(x, (0, 0, 2, 0) if x.dim() == 3 else (2, 0)) for name, x in steps.items()}
    behind = model(**longer, attention_mask=torch.tensor([[0, 0, 1, 1]])).action_preds[:, 2:]
    assert torch.allclose(alone, behind, atol=1e-6)


def test_a_trajectory_in_two_calls_and_its_weighted_loss() -> None:
    sizes = {"n_layer": 2, "n_embd": 8, "n_head": 2, "vocab_size": 5, "block_size": 9}
    parts = {"transition_dim": 4, "observation_dim": 1, "action_dim": 1}
    weights = {"action_weight": 3, "reward_weight": 2, "value_weight": 4}
    model = TrajectoryTransformerModel(TrajectoryTransformerConfig(**sizes, **parts, **weights)).eval()
    tokens = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2]])
    whole = model(tokens[:, :-1], targets=tokens[:, 1:], return_dict=True, output_attentions=True)
    first = model(tokens[:, :5], return_dict=True, use_cache=True)
    second = model(tokens[:, 5:-1], past_key_values=first.past_key_values, return_dict=True)
    assert torch.allclose(torch.cat((first.logits, second.logits), 1), whole.logits, atol=1e-6)
    assert not whole.attentions[0][..., 3].any(), "a value is an estimate, and hidden"
    each = F.cross_entropy(whole.logits[0], tokens[0, 1:], reduction="none")
    assert torch.allclose(whole.loss, (each * torch.tensor([3.0, 2, 4, 1, 3, 2, 4])).mean())
    with pytest.raises(ValueError, match="10 tokens; the model holds block_size=9"):
        model(torch.zeros(1, 10, dtype=torch.long))


def test_series_of_any_length() -> None:
    config = TimesFmConfig(
        num_hidden_layers=2, hidden_size=8, intermediate_size=8, head_dim=4, num_attention_heads=2,
        patch_length=4, context_length=16, horizon_length=6, quantiles=[0.1, 0.9],
    )  # fmt: skip
    model = TimesFmModelForPrediction(config).eval()
    long, short = torch.rand(23), torch.rand(10)
    both = model([long, short], freq=[1, 0]).full_predictions
    assert both.shape == (2, 6, 3)
    assert torch.allclose(both[1:], model([short]).full_predictions, atol=1e-6)
    assert torch.allclose(both[:1], model([long[-16:]], freq=[1]).full_predictions, atol=1e-6)
    assert model([long], return_forecast_on_context=True).mean_predictions.shape == (1, 18)
    recent = long[-16:]
    parts = decomposed(recent, 3)
    assert torch.allclose(sum(parts), recent) and torch.allclose(parts[0][2], recent[:3].mean())
    split = model([long], window_size=3).mean_predictions
    assert torch.allclose(split, model(list(parts)).mean_predictions.sum(0, keepdim=True), atol=1e-5)
    assert model([long], truncate_negative=True).full_predictions.min() >= 0
    for series, freq in (([], None), ([torch.ones(0)], None), ([long], [0, 1])):
        with pytest.raises(ValueError):
            model(series, freq=freq)


def test_the_first_patch_with_three_values_sets_the_scale() -> None:
    values = torch.arange(8.0).view(1, 2, 4)
    padding = torch.tensor([[[1.0, 1, 0, 0], [0, 0, 0, 0]]])
    assert [x.item() for x in first_moments(values, padding)] == pytest.approx([5.5, 1.25**0.5])


def test_graphs_of_different_sizes_and_their_losses() -> None:
    sizes = {"num_atoms": 9, "num_edges": 6, "num_in_degree": 5, "num_out_degree": 5, "num_spatial": 7}
    sizes |= {"num_edge_dis": 5, "embedding_dim": 8, "ffn_embedding_dim": 8, "num_attention_heads": 2}
    model = GraphormerForGraphClassification(GraphormerConfig(num_hidden_layers=2, **sizes)).eval()
    graph = {
        "input_nodes": torch.tensor([[[3], [5], [1]]]),
        "input_edges": torch.randint(1, 6, (1, 3, 3, 4, 1)),
        "attn_bias": torch.zeros(1, 4, 4),
        "in_degree": torch.tensor([[1, 2, 1]]),
        "out_degree": torch.tensor([[1, 2, 1]]),
        "spatial_pos": torch.tensor([[[1, 2, 3], [2, 1, 2], [3, 2, 1]]]),
        "attn_edge_type": torch.randint(1, 6, (1, 3, 3, 1)),
    }
    around = {
        "input_nodes": (0, 0, 0, 2),
        "input_edges": (0, 0, 0, 0, 0, 2, 0, 2),
        "attn_edge_type": (0, 0, 0, 2, 0, 2),
    }
    larger = {
        name: F.pad(x, around.get(name, (0, 2) if x.dim() == 2 else (0, 2, 0, 2)))
        for name, x in graph.items()
    }
    alone, padded = model(**graph), model(**larger)
    assert torch.allclose(alone.logits, padded.logits, atol=1e-6)
    assert torch.allclose(model(**graph, labels=torch.tensor([2.0])).loss, (alone.logits - 2).square().mean())
    some = torch.tensor([[1.0, 0.0], [float("nan"), 1.0]])
    assert graph_loss(torch.zeros(2, 2), some).item() == pytest.approx(3 * 0.6931472)
