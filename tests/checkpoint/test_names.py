import pytest
import torch
from torch import nn

from zoo_core.checkpoint import (
    Fused,
    NameConflict,
    NamePlan,
    Permuted,
    Reshaped,
    Split,
    Stacked,
    Transposed,
    dialects,
)
from zoo_core.checkpoint.__main__ import plan_of


def module(names=None, **children):
    made = nn.Module()
    for name, child in children.items():
        setattr(made, name, child)
    if names is not None:
        made.hub_names = names
    return made


def hub(model):
    return {name: row[0] for name, row in NamePlan.of(model).canonical_to_hub.items()}


def line():
    return nn.Linear(1, 1, bias=False)


WALKS = {
    "no table": (module(a=line()), {"a.weight": "a.weight"}),
    "prefix": (module({"a": "x.y"}, a=line()), {"a.weight": "x.y.weight"}),
    "dropped level": (module({"a": ""}, a=module(b=line())), {"a.b.weight": "b.weight"}),
    "longest": (
        module({"a": "x", "a.b": "y"}, a=module(b=line(), c=line())),
        {"a.b.weight": "y.weight", "a.c.weight": "x.c.weight"},
    ),
    "parameter": (module({"a.weight": "kernel"}, a=line()), {"a.weight": "kernel"}),
    "inner table": (module({"a": "x"}, a=module({"b": "z"}, b=line())), {"a.b.weight": "x.z.weight"}),
    "outer table first": (
        module({"a.b": "y"}, a=module({"b": "never", "c": "z"}, b=line(), c=line())),
        {"a.b.weight": "y.weight", "a.c.weight": "a.z.weight"},
    ),
    "star": (
        module({"a.*.b": "h.*.c"}, a=nn.ModuleList([module(b=line(), d=line())])),
        {"a.0.b.weight": "h.0.c.weight", "a.0.d.weight": "a.0.d.weight"},
    ),
    "literal before star": (
        module({"a.*": "h.*", "a.1": "last"}, a=nn.ModuleList([line(), line()])),
        {"a.0.weight": "h.0.weight", "a.1.weight": "last.weight"},
    ),
    "back to a shorter match": (
        module({"a": "x", "a.b.c": "y"}, a=module({"b": "q"}, b=module(c=line(), d=line()))),
        {"a.b.c.weight": "y.weight", "a.b.d.weight": "x.q.d.weight"},
    ),
}


@pytest.mark.parametrize(("model", "expected"), WALKS.values(), ids=WALKS.keys())
def test_the_walk(model, expected):
    assert hub(model) == expected


def test_the_plan_inverts_itself(zoo):
    plan = NamePlan.of(zoo.Model())
    assert plan.canonical_to_hub["model.layers.0.self_attn.k_proj.bias"] == ("transformer.h.0.attn.qkv.bias",)
    assert plan.hub_to_canonical["transformer.h.1.moe.experts.2.w3.weight"] == ("model.layers.1.mlp.gate_up",)
    for canonical, names in plan.canonical_to_hub.items():
        assert all(canonical in plan.hub_to_canonical[name] for name in names)
    assert "model.inv_freq" not in plan.canonical_to_hub


def test_a_plan_is_text_and_a_value(zoo):
    one, other = NamePlan.of(zoo.Model()), NamePlan.of(zoo.Model())
    assert one == other and hash(one) == hash(other) and str(one) == str(other)
    assert "Fused('transformer.h.0.attn.qkv.weight', dim=0, groups=2)" in str(one)
    assert one != NamePlan.of(zoo.Base())


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (module({"a": "x", "b": "x"}, a=line(), b=line()), ["a.weight", "b.weight", "'x.weight'"]),
        (module({("a", "b"): "x"}, a=line(), b=line()), ["tuple of paths", "Fused('x')"]),
        (module({("a", "b"): Fused("x")}, a=line(), b=nn.Linear(1, 1)), ["a.bias", "no a.bias"]),
        (module({"a": 3}, a=line()), ["hub_names['a']", "3"]),
        (module({"a": "x", ("a", "b"): Fused("y")}, a=line(), b=line()), ["'a' stands twice"]),
        (module({"a": Transposed("x")}, a=module({"b": Transposed("y")}, b=line())), ["already inside"]),
    ],
)
def test_what_a_table_may_not_say(model, words):
    with pytest.raises(NameConflict) as error:
        NamePlan.of(model)
    assert all(word in str(error.value) for word in words)


OPS = [
    ([(6, 4), (6, 4), (6, 4)], Fused("x"), [(18, 4)]),
    ([(8, 4), (4, 4), (4, 4)], Fused("x", groups=2), [(16, 4)]),
    ([(8,), (4,), (4,)], Fused("x", groups=2), [(16,)]),
    ([(4, 6), (4, 6)], Fused("x", dim=1), [(4, 12)]),
    ([(4, 6), (2, 6)], Fused(Transposed("x")), [(6, 6)]),
    ([(3, 6, 5)], Stacked("e.*.w"), [(6, 5)] * 3),
    ([(3, 6, 5)], Stacked(Split("e.*.a", "e.*.b")), [(3, 5)] * 6),
    ([(3, 6, 5)], Stacked(Transposed("e.*.w")), [(5, 6)] * 3),
    ([(3, 6, 5), (3, 2, 5)], Fused(Stacked("e.*.w"), dim=1), [(8, 5)] * 3),
    ([(7, 4)], Split("a", "b", sizes=(2, 5)), [(2, 4), (5, 4)]),
    ([(7, 4)], Transposed("x"), [(4, 7)]),
    ([(7,)], Transposed("x"), [(7,)]),
    ([(2, 3, 4)], Permuted("x", (2, 0, 1)), [(3, 4, 2)]),
    ([(8, 5)], Permuted("x", (0, 2, 1, 3), view=(2, 2, 2, -1)), [(8, 5)]),
    ([(8,)], Permuted("x", (0, 2, 1, 3), view=(2, 2, 2, -1)), [(8,)]),
    ([(6, 2)], Reshaped("x", (3, -1)), [(3, 4)]),
]


@pytest.mark.parametrize(("shapes", "op", "expected"), OPS, ids=[repr(op) for _, op, _ in OPS])
def test_an_operation_and_its_inverse(shapes, op, expected):
    leaves = list(op.leaves(shapes))
    assert [shape for _, shape in leaves] == expected
    canonical = [torch.randn(shape) for shape in shapes]
    files = dict(op.to_hub(canonical))
    assert {name: tuple(t.shape) for name, t in files.items()} == dict(leaves)
    again = op.from_hub(files.__getitem__, shapes)
    assert all(torch.equal(a, b) for a, b in zip(canonical, again, strict=True))
    back = dict(op.to_hub(again))
    assert all(torch.equal(files[name], back[name]) for name in files)


def test_layouts_are_those_of_the_field():
    q, k, v = torch.arange(4.0)[:, None], torch.arange(10.0, 14)[:, None], torch.arange(20.0, 24)[:, None]
    per_head = dict(Fused("x", groups=2).to_hub([q, k, v]))["x"].flatten().tolist()
    assert per_head == [0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23]
    interleaved = torch.tensor([0, 2, 1, 3])[:, None]  # pairs (0, 1) and (2, 3) of one head of width 4
    halves = Permuted("x", (0, 2, 1, 3), view=(1, 2, 2, -1)).from_hub(
        {"x": interleaved}.__getitem__, [(4, 1)]
    )[0]
    assert halves.flatten().tolist() == [0, 1, 2, 3]


def test_operations_are_values():
    assert Fused("x", groups=2) == Fused("x", groups=2) != Fused("x")
    assert len({Transposed("x"), Transposed("x"), Transposed("y")}) == 2


def test_every_dialect_is_a_table_without_double_claims():
    tables = {
        name: table for name, table in vars(dialects).items() if name.isupper() and isinstance(table, dict)
    }
    assert {
        "BERT_LAYER",
        "BART_LAYER",
        "CLIP_LAYER",
        "VIT_LAYER",
        "T5_DECODER_LAYER",
        "GPT2_LAYER",
    } <= tables.keys()
    for name, table in tables.items():
        claimed = [value for key, value in table.items() if isinstance(value, str)]
        doubled = {value for value in claimed if claimed.count(value) > 1}
        assert not {v for v in doubled if not v.endswith("DenseReluDense.wo")}, name


def test_the_command_prints_the_plan():
    assert "layers.0.self_attn.q_proj.weight <- encoder.layer.0.attention.self.query.weight" in str(
        plan_of("bert")
    )
