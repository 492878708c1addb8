"""A small model with every naming device: tables, operations, ties, a computed buffer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from zoo_core.checkpoint import Fused, Split, Stacked, Transposed


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(8, 4)
        self.o_proj = nn.Linear(8, 8)


class Experts(nn.Module):
    hub_names = {
        "gate_up": Stacked(Split("experts.*.w1.weight", "experts.*.w3.weight")),
        "down": Stacked(Transposed("experts.*.w2.weight")),
    }

    def __init__(self) -> None:
        super().__init__()
        self.gate_up = nn.Parameter(torch.empty(3, 12, 8))
        self.down = nn.Parameter(torch.empty(3, 8, 6))


class Layer(nn.Module):
    hub_names = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attn.qkv", groups=2),
        "self_attn.o_proj": Transposed("attn.out"),
        "mlp": "moe",
        "input_layernorm": "ln",
    }

    def __init__(self) -> None:
        super().__init__()
        self.self_attn, self.mlp, self.input_layernorm = Attention(), Experts(), nn.LayerNorm(8)


class Base(nn.Module):
    hub_names = {"embed_tokens": "wte", "layers": "h"}

    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(10, 8)
        self.layers = nn.ModuleList(Layer() for _ in range(2))
        self.register_buffer("inv_freq", 1.0 / 10 ** torch.arange(4).float(), persistent=False)


class Model(nn.Module):
    """A head that shares the embeddings, around a base that files keep under ``transformer``."""

    hub_names = {"model": "transformer", "score": "head.score"}
    base_model_prefix = "transformer"
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self) -> None:
        super().__init__()
        self.model, self.lm_head, self.score = Base(), nn.Linear(8, 10, bias=False), nn.Linear(8, 2)


def filled(model: nn.Module, seed: int = 0) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        for alias, owner in getattr(model, "tied_weights", {}).items():
            model.get_submodule(alias.rpartition(".")[0]).weight = model.get_parameter(owner)
    return model


def equal(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


@pytest.fixture
def zoo() -> SimpleNamespace:
    """The classes and helpers above."""
    return SimpleNamespace(
        Model=Model, Base=Base, Layer=Layer, Attention=Attention, filled=filled, equal=equal
    )
