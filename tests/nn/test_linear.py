"""The choice of kernel never changes a product."""

import pytest
import torch
import torch.nn.functional as F

from zoo_core.nn.linear import FEW, LARGE, Linear, linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("out,size", [(1024, 512), (1023, 512), (3, LARGE)])
@pytest.mark.parametrize("rows", [(), (1, 1), (FEW,), (2, FEW), (5,), (0,), (2, 0)])
def test_equals_torch(rows, out, size, bias):
    torch.manual_seed(0)
    x, weight = torch.randn(*rows, size), torch.randn(out, size) * size**-0.5
    assert weight.numel() >= LARGE
    offset = torch.randn(out) if bias else None
    with torch.no_grad():
        got, want = linear(x, weight, offset), F.linear(x, weight, offset)
    assert got.shape == want.shape and got.is_contiguous()
    torch.testing.assert_close(got, want, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("rows", [2, 9])
def test_takes_strided_input(rows):
    x, weight = torch.randn(512, rows).t(), torch.randn(1024, 512)
    with torch.no_grad():
        torch.testing.assert_close(linear(x, weight), F.linear(x, weight), atol=2e-4, rtol=1e-4)


def test_gradients_flow():
    layer = Linear(512, 512)
    x = torch.randn(3, 512, requires_grad=True)
    layer(x).sum().backward()
    torch.testing.assert_close(x.grad, layer.weight.sum(0).expand(3, -1), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_dtypes_are_torchs(dtype):
    x, weight = torch.randn(1, 512, dtype=dtype), torch.randn(1024, 512, dtype=dtype)
    with torch.no_grad():
        assert torch.equal(linear(x, weight), F.linear(x, weight))


def test_compiles_whole():
    layer, x = Linear(512, 512).eval(), torch.randn(1, 512)
    with torch.no_grad():
        torch.testing.assert_close(
            torch.compile(layer, fullgraph=True, backend="eager")(x), layer(x), atol=1e-4, rtol=1e-4
        )
