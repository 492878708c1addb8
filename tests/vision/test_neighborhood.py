"""Neighbourhood attention is what its papers define, cell by cell."""

from __future__ import annotations

import pytest
import torch

from zoo_core import AutoConfig, AutoModel
from zoo_vision.nn.neighborhood import NeighborhoodAttention, neighbors


def window(place: int, length: int, kernel: int, dilation: int) -> list[int]:
    """The definition: of the places of one remainder, `kernel` around this one, all of which exist."""
    group = list(range(place % dilation, length, dilation))
    start = min(max(group.index(place) - kernel // 2, 0), len(group) - kernel)
    return group[start : start + kernel]


@pytest.mark.parametrize(
    ("length", "kernel", "dilation"), [(7, 3, 1), (9, 5, 1), (11, 3, 2), (13, 3, 4), (6, 3, 2)]
)
def test_neighbours_lie_around_a_place_and_inside(length, kernel, dilation):
    expected = [window(place, length, kernel, dilation) for place in range(length)]
    assert neighbors(length, kernel, dilation).tolist() == expected


def test_too_few_places_are_refused():
    with pytest.raises(ValueError, match="5 places have no 3 neighbours 2 apart"):
        neighbors(5, 3, 2)


@pytest.mark.parametrize("dilation", [1, 2])
def test_each_cell_attends_to_its_neighbours_with_a_bias_for_each_offset(dilation):
    torch.manual_seed(0)
    heads, width, kernel, rows, columns = 2, 4, 3, 6, 8
    attention = NeighborhoodAttention(heads * width, heads, kernel=kernel, dilation=dilation)
    torch.nn.init.normal_(attention.rpb)
    x = torch.randn(1, rows, columns, heads * width)
    q, k, v = (
        p(x[0]).unflatten(-1, (heads, width)) for p in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    expected = torch.zeros(rows, columns, heads, width)
    for i in range(rows):
        for j in range(columns):
            cells = [
                (a, b)
                for a in window(i, rows, kernel, dilation)
                for b in window(j, columns, kernel, dilation)
            ]
            for head in range(heads):
                scores = torch.stack(
                    [
                        q[i, j, head] @ k[a, b, head] / width**0.5
                        + attention.rpb[
                            head, (a - i) // dilation + kernel - 1, (b - j) // dilation + kernel - 1
                        ]
                        for a, b in cells
                    ]
                ).softmax(0)
                expected[i, j, head] = sum(s * v[a, b, head] for s, (a, b) in zip(scores, cells, strict=True))
    torch.testing.assert_close(attention(x)[0], attention.o_proj(expected.flatten(2)))


def test_dinat_without_dilation_is_nat():
    sizes = {"embed_dim": 16, "depths": [1, 2], "num_heads": [2, 4], "kernel_size": 3}
    nat = AutoModel.from_config(AutoConfig.for_model("nat", **sizes)).eval()
    dinat = AutoModel.from_config(AutoConfig.for_model("dinat", dilations=[[1], [1, 1]], **sizes)).eval()
    dinat.load_state_dict(nat.state_dict())
    pixels = torch.rand(1, 3, 40, 32)
    torch.testing.assert_close(dinat(pixels).last_hidden_state, nat(pixels).last_hidden_state)
