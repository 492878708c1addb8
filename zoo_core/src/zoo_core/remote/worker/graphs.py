"""Autograd graphs that wait in the worker for the program's backward pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Graphs:
    """Outputs and inputs of differentiable calls, by the number that the program gave the call."""

    def __init__(self) -> None:
        self._graphs: dict[int, tuple[list[Tensor], list[Tensor]]] = {}

    def remember(self, number: int, outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
        self._graphs[number] = (list(outputs), list(inputs))

    def forget(self, number: int) -> None:
        self._graphs.pop(number, None)

    def backward(self, number: int, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """The gradients of the call's inputs, None where there is none. The graph stays until forgotten,
        as the program may go through it again."""
        outputs, inputs = self._graphs[number]
        pairs = [(out, grad) for out, grad in zip(outputs, gradients, strict=True) if grad is not None]
        if not pairs or not inputs:
            return [None] * len(inputs)
        found = torch.autograd.grad(
            [out for out, _ in pairs],
            inputs,
            [grad for _, grad in pairs],
            retain_graph=True,
            allow_unused=True,
        )
        return list(found)
