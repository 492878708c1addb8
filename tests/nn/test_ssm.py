"""State spaces: one recurrence, however it is computed and in whatever pieces."""

from __future__ import annotations

import pytest
import torch

from zoo_core.nn.cache import StateSlot
from zoo_core.nn.ssm import CausalConv1d, chunked_scan, selective_scan

BATCH, LENGTH, HEADS, WIDTH, N = 2, 150, 4, 3, 5


def inputs() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    x, step = torch.randn(BATCH, LENGTH, HEADS, WIDTH), torch.rand(BATCH, LENGTH, HEADS)
    write, read = torch.randn(2, BATCH, LENGTH, 1, N)
    return x, step, -torch.rand(HEADS) - 0.1, write, read


@pytest.mark.parametrize("chunk", [1, 7, 64, 150, 256])
def test_chunks_compute_the_recurrence(chunk: int) -> None:
    x, step, decay, write, read = inputs()
    y, state = chunked_scan(x, step, decay, write, read, chunk=chunk)
    wide = step.repeat_interleave(WIDTH, dim=2), decay.repeat_interleave(WIDTH)[:, None].expand(-1, N)
    expected, last = selective_scan(x.flatten(2), wide[0], wide[1], write[:, :, 0], read[:, :, 0])
    torch.testing.assert_close(y.flatten(2), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(state.flatten(1, 2), last, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("cut", [1, 63, 149])
def test_a_state_continues_a_sequence(cut: int) -> None:
    x, step, decay, write, read = inputs()
    whole, _ = chunked_scan(x, step, decay, write, read, chunk=64)
    parts, state = [], None
    for part in (slice(0, cut), slice(cut, None)):
        y, state = chunked_scan(
            x[:, part], step[:, part], decay, write[:, part], read[:, part], state, chunk=64
        )
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_convolution_read_token_by_token(width: int) -> None:
    torch.manual_seed(0)
    conv, x, slot = CausalConv1d(6, width), torch.randn(2, 9, 6), StateSlot()
    whole = conv(x)
    torch.testing.assert_close(torch.cat([conv(x[:, t : t + 1], slot) for t in range(9)], 1), whole)
    changed = x.clone()
    changed[:, 5:] = 0.0
    torch.testing.assert_close(conv(changed)[:, :5], whole[:, :5])
