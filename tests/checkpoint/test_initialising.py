"""No uninitialised memory reaches a user, whatever a constructor does."""

import math

import pytest
import torch
from torch import nn

from zoo_core.checkpoint import DictSource, construct, load_weights, skeleton
from zoo_core.checkpoint.materialise import is_poison, poison
from zoo_core.errors import CheckpointError, UninitializedWeights


def load(cls, tensors=None, **keywords):
    model = construct(cls, dtype=keywords.get("dtype"))
    return model, load_weights(model, DictSource(tensors or {}), rebuild=cls, log=False, **keywords)


def sinusoids(rows=6, size=4):
    table = torch.empty(rows, size)
    angles = torch.arange(rows)[:, None] / 10 ** torch.arange(size // 2)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table


class Naive(nn.Module):
    """No _init_weights, no post_init, tensors made in every odd way."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm, self.embed = (
            nn.Linear(4, 4),
            nn.LayerNorm(4),
            nn.Embedding(5, 4, padding_idx=0),
        )
        self.rnn, self.attention = nn.LSTM(4, 4), nn.MultiheadAttention(4, 2)
        self.legacy = nn.Parameter(torch.Tensor(4, 4))
        self.empty, self.vector = nn.Parameter(torch.empty(3, 3)), nn.Parameter(torch.empty(3))
        self.some_bias, self.large = nn.Parameter(torch.empty(3)), nn.Parameter(torch.randn(300, 300))
        self.computed, self.constant = nn.Parameter(sinusoids()), nn.Parameter(torch.full((2,), 7.0))
        self.register_buffer("table", sinusoids(), persistent=False)
        self.register_buffer("mixed", torch.empty(4).fill_(2) + torch.arange(4), persistent=False)
        self.register_buffer("slopes", torch.tensor([2.0**-i for i in range(4)]))
        self.register_buffer("steps", torch.empty(3, dtype=torch.int64).fill_(9), persistent=False)
        self.plain, self.listed = torch.arange(3), [sinusoids(), {"deep": torch.empty(2).zero_()}]
        self.kept = [self.linear.weight]
        self.rates = [x.item() for x in torch.linspace(0, 0.5, 3)]


def test_a_naive_plugin_gets_values_everywhere():
    model, report = load(Naive, {"linear.weight": torch.eye(4)})
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    assert not [name for name, t in tensors.items() if t.is_meta or is_poison(t)]
    assert torch.equal(model.linear.weight, torch.eye(4)) and model.kept[0] is model.linear.weight
    assert torch.equal(model.table, sinusoids()) and torch.equal(model.listed[0], sinusoids())
    assert torch.equal(model.computed, sinusoids()) and model.constant.tolist() == [7, 7]
    assert model.mixed.tolist() == [2, 3, 4, 5] and model.steps.tolist() == [9, 9, 9]
    assert model.norm.weight.tolist() == [1] * 4 and model.norm.bias.tolist() == [0] * 4
    assert model.vector.tolist() == [1] * 3 and model.some_bias.tolist() == [0] * 3
    assert 0.005 < model.legacy.std() < 0.05 and 0.5 < model.large.std() < 1.5
    assert model.embed.weight[0].tolist() == [0] * 4 and model.rates == [0, 0.25, 0.5]
    assert model.rnn(torch.zeros(1, 4))[0].isfinite().all()
    assert report.initialised["legacy"] == "normal(0, 0.02)" and "linear.weight" not in report.initialised
    assert set(report.missing_keys) == set(dict(model.named_parameters())) - {"linear.weight"} | {"slopes"}


def test_the_skeleton_itself_takes_no_memory_and_leaves_the_process_alone():
    before = torch.get_default_dtype(), nn.Linear.__init__, nn.init.kaiming_uniform_
    with skeleton(torch.bfloat16):
        huge, mask = nn.Linear(2**20, 2**20), torch.ones(3, 3).tril()
        assert torch.arange(3.0).dtype == torch.float32 and not mask.is_meta
    assert huge.weight.is_meta and huge.weight.dtype == torch.bfloat16
    assert before == (torch.get_default_dtype(), nn.Linear.__init__, nn.init.kaiming_uniform_)
    assert not nn.Linear(2, 2).weight.is_meta


class Own(nn.Module):
    """A model with an initialiser of its own around a part with another."""

    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def _init_weights(self, module):
            if isinstance(module, nn.Linear):
                nn.init.constant_(module.weight, 5)

    def __init__(self):
        super().__init__()
        self.part, self.outer, self.token = Own.Part(), nn.Linear(2, 2), nn.Parameter(torch.empty(2))

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            module.weight.data.normal_().add_(100)
            module.bias.data.copy_(torch.full((2,), 3.0))
        if isinstance(module, Own):
            module.token.data[0].fill_(1)
            module.token.data[1:].zero_()


def test_the_models_own_initialiser_comes_first_and_touches_nothing_loaded():
    loaded = torch.eye(2)
    model, report = load(Own, {"outer.weight": loaded})
    assert torch.equal(model.outer.weight, loaded) and model.outer.bias.tolist() == [3, 3]
    assert model.part.inner.weight.tolist() == [[5, 5], [5, 5]] and model.token.tolist() == [1, 0]
    assert report.initialised["part.inner.weight"] == "_init_weights"
    assert report.initialised["part.inner.bias"] == "reset_parameters"


def test_an_initialiser_that_fails_is_named():
    class Fails(nn.Linear):
        def __init__(self):
            super().__init__(2, 2)

        def _init_weights(self, module):
            raise KeyError("initializer_range")

    with pytest.raises(CheckpointError, match=r"initialising Fails .* KeyError: 'initializer_range'"):
        load(Fails)


def test_what_nobody_fills_is_refused_by_name():
    class Unfilled(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.empty(3))
            self.half = torch.empty(4)
            self.half[:2] = 1
            self.counts = [torch.empty(2, dtype=torch.int32)]

    with pytest.raises(UninitializedWeights, match=r"table, half, counts\.0 without a value"):
        load(Unfilled)
    with pytest.raises(UninitializedWeights, match=r"half, counts\.0"):
        load(Unfilled, {"table": torch.ones(3)})


def test_a_constructor_that_needs_values_still_runs():
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 2)
            self.scale = float(self.linear.weight.abs().max().item())

    model, _ = load(Reads, {"linear.weight": torch.eye(2)})
    assert math.isfinite(model.scale) and torch.equal(model.linear.weight, torch.eye(2))


def test_missing_weights_take_the_dtype_of_the_load():
    model, _ = load(Naive, dtype=torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert model.table.dtype == torch.float32 and model.slopes.dtype == torch.bfloat16


def test_computed_integer_tables_are_no_missing_keys():
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("index", torch.arange(4))
            self.norm = nn.BatchNorm1d(2)

    _, report = load(Table)
    assert "index" not in report.missing_keys and "norm.num_batches_tracked" not in report.missing_keys
    assert "norm.running_mean" in report.missing_keys


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.int64, torch.uint8, torch.float8_e4m3fn]
)
def test_poison_shows(dtype):
    tensor = poison(torch.empty(3, dtype=dtype))
    assert is_poison(tensor) and not is_poison(torch.ones(3).to(dtype))
