"""Recurrences computed chunk by chunk give what the token-by-token definition gives."""

from __future__ import annotations

import pytest
import torch

from zoo_text.qwen3_next.model import CHUNK, gated_delta_rule
from zoo_text.xlstm.model import matrix_memory

LENGTH = CHUNK + 7


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-4, rtol=1e-4)


@pytest.fixture
def drawn() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    shape = (2, 3, LENGTH)
    key = torch.nn.functional.normalize(torch.randn(*shape, 5), dim=-1)
    gates = {"keep": -torch.rand(shape), "write": torch.randn(shape)}
    return {"query": torch.randn(*shape, 5), "key": key, "value": torch.randn(*shape, 4), **gates}


def test_delta_rule(drawn: dict[str, torch.Tensor]) -> None:
    q, k, v, keep, rate = (drawn[n] for n in ("query", "key", "value", "keep", "write"))
    rate = rate.sigmoid()
    got, state = gated_delta_rule(q, k, v, keep, rate, None)
    memory, want = torch.zeros(2, 3, 5, 4), []
    for t in range(LENGTH):
        memory = memory * keep[:, :, t].exp()[..., None, None]
        news = rate[:, :, t, None] * (v[:, :, t] - torch.einsum("bhnm,bhn->bhm", memory, k[:, :, t]))
        memory = memory + k[:, :, t, :, None] * news[:, :, None]
        want.append(torch.einsum("bhnm,bhn->bhm", memory, q[:, :, t]))
    assert close(got, torch.stack(want, dim=2)) and close(state, memory)


@pytest.mark.parametrize("chunk", [4, 64])
def test_matrix_memory(drawn: dict[str, torch.Tensor], chunk: int) -> None:
    q, k, v, keep, write = (drawn[n] for n in ("query", "key", "value", "keep", "write"))
    got, _ = matrix_memory(q, k, v, write, keep, None, chunk=chunk, eps=1e-6)
    memory, norm, want = torch.zeros(2, 3, 5, 4), torch.zeros(2, 3, 5), []
    for t in range(LENGTH):
        f, i = keep[:, :, t].exp()[..., None], write[:, :, t].exp()[..., None]
        memory = f[..., None] * memory + (i * k[:, :, t])[..., None] * v[:, :, t, None]
        norm = f * norm + i * k[:, :, t]
        weight = (norm * q[:, :, t]).sum(-1, keepdim=True).abs().clamp(min=1)
        want.append(torch.einsum("bhnm,bhn->bhm", memory, q[:, :, t]) / weight)
    assert close(got, torch.stack(want, dim=2))


@pytest.mark.parametrize("chunk", [4, 64])
def test_pieces_are_the_whole(drawn: dict[str, torch.Tensor], chunk: int) -> None:
    parts = [drawn[n] for n in ("query", "key", "value", "write", "keep")]
    whole, _ = matrix_memory(*parts, None, chunk=chunk, eps=1e-6)
    first, state = matrix_memory(*(x[:, :, :11] for x in parts), None, chunk=chunk, eps=1e-6)
    second, _ = matrix_memory(*(x[:, :, 11:] for x in parts), state, chunk=chunk, eps=1e-6)
    assert close(torch.cat((first, second), dim=2), whole)
