"""Gradients across the sandbox: a differentiable call whose graph lies in the worker."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import SandboxError
from zoo_core.remote.host.process import Worker
from zoo_core.remote.wire.codec import Decoder, Encoder
from zoo_core.remote.wire.frames import ProtocolError

_numbers = itertools.count(2, 2)
"""Numbers of graphs are even; those of things that a worker keeps are odd."""


class DifferentiableCall:
    """One call, from request to the release of its graph."""

    def __init__(self, worker: Worker, inputs: Sequence[Tensor]) -> None:
        self.number = next(_numbers)
        self._worker = worker
        self._inputs = [(tuple(tensor.shape), tensor.dtype) for tensor in inputs]
        self._outputs: list[tuple[torch.Size, torch.dtype]] = []
        self._watched: list[tuple[weakref.ref[Tensor], int]] = []
        weakref.finalize(self, worker.forget, self.number)

    def watch(self, parameters: Sequence[Tensor]) -> None:
        """Note the versions of the parameters, whose memory the graph refers to."""
        self._watched = [(weakref.ref(item), item._version) for item in parameters]

    def returned(self, outputs: Sequence[Tensor]) -> None:
        """Note what the call returned with gradients."""
        self._outputs = [(tensor.shape, tensor.dtype) for tensor in outputs]

    def backward(self, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Gradients of the inputs. Raises :class:`SandboxError` where the graph cannot give them."""
        if torch.is_grad_enabled():
            raise SandboxError(
                "create_graph=True: a gradient of gradients cannot be computed through the sandbox; "
                "approve the "
                "code and pass sandbox=False where you need it"
            )
        for reference, version in self._watched:
            parameter = reference()
            if parameter is not None and parameter._version != version:
                raise RuntimeError(
                    f"a parameter of shape {tuple(parameter.shape)} was modified in place between "
                    f"forward and "
                    f"backward (version {parameter._version}, expected {version}); the graph in the sandbox "
                    "refers to its old value"
                )
        worker = self._worker
        with worker.lock:
            worker.inbox.reset()
            plain = [
                None if grad is None else grad.to(dtype)
                for grad, (_, dtype) in zip(gradients, self._outputs, strict=True)
            ]
            value = Encoder(worker.inbox).encode(plain)
            answer = worker.ask("backward", graph=self.number, value=value)
            found = Decoder(worker.outbox, kept=_nothing_kept).decode(answer.get("value"))
        if not isinstance(found, list) or len(found) != len(self._inputs):
            raise ProtocolError("gradients for another number of inputs")
        for gradient, (shape, dtype) in zip(found, self._inputs, strict=True):
            if gradient is None:
                continue
            if not isinstance(gradient, Tensor) or tuple(gradient.shape) != shape or gradient.dtype != dtype:
                raise ProtocolError("a gradient of another shape or dtype than its input")
        return found


def _nothing_kept(number: int, description: str) -> Any:
    raise ProtocolError("a gradient that is no tensor")


class Bridge(torch.autograd.Function):
    """Runs a prepared call in its forward, and the worker's graph in its backward."""

    @staticmethod
    def forward(ctx: Any, call: DifferentiableCall, run: Any, *inputs: Tensor) -> tuple[Tensor, ...]:
        outputs: list[Tensor] = run()
        call.returned(outputs)
        ctx.call = call
        ctx.set_materialize_grads(False)
        marker = torch.empty(0)  # So that a call without differentiable outputs returns something.
        ctx.mark_non_differentiable(marker)
        return (marker, *outputs)

    @staticmethod
    def backward(ctx: Any, _: Tensor | None, *gradients: Tensor | None) -> Any:
        return (None, None, *ctx.call.backward(gradients))
