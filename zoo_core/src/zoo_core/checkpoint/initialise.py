"""Values for what no file brings, and the proof that nothing uninitialised is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.materialise import is_poison, lenient, poison, poisoned
from zoo_core.checkpoint.slots import Slot, attributes, replace_attributes, slots
from zoo_core.errors import CheckpointError, UninitializedWeights

Rebuild = Callable[[], nn.Module]
"""Makes the model again, from its config, wherever it is called."""

_INITIALISABLE = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


class Initialiser:
    """Gives values to the tensors of a skeleton that no file brings.

    It runs before anything is loaded: what a file will bring is then still on the meta device, where an
    initialiser has no effect, so none can touch a loaded weight.
    """

    def __init__(self, model: nn.Module, rebuild: Rebuild | None) -> None:
        self.model = model
        self._rebuild = rebuild
        self._second: tuple[dict[str, Slot], dict[str, Tensor]] | None = None
        self.unset: list[str] = []
        self.how: dict[str, str] = {}
        """What gave each parameter its values, by canonical name."""

    def parameters(self, missing: Iterable[Slot], dtype_of: Callable[[Slot], torch.dtype]) -> None:
        """Initialise ``missing`` in place: by the model, each module, the constructor or a base rule."""
        missing = list(missing)
        if not missing:
            return
        for slot in missing:
            if slot.tensor.is_meta:
                wanted = dtype_of(slot)
                dtype = wanted if wanted in _INITIALISABLE or not wanted.is_floating_point else torch.float32
                slot.put(poison(torch.empty(slot.tensor.shape, dtype=dtype, device="cpu")))
                self.how[slot.path] = ""
            else:
                self.how[slot.path] = "as constructed"
        owners = {id(slot.module) for slot in missing}
        for module, initialise in _with_initialiser(self.model, owners):
            self._run(initialise, module)
        self._settle(missing, "_init_weights")
        for slot in self._open(missing):
            reset = getattr(slot.module, "reset_parameters", None)
            if callable(reset) and is_poison(slot.tensor):
                with self._spared(s for s in missing if s.module is slot.module and self.how[s.path]):
                    self._run(lambda _, reset=reset: reset(), slot.module)  # type: ignore[misc]
        self._settle(missing, "reset_parameters")
        for slot in self._open(missing):
            if (built := self._constructed(slot.path)) is not None:
                slot.put(built.to(slot.tensor.dtype))
        self._settle(missing, "the constructor")
        for slot in self._open(missing):
            self.how[slot.path] = _base_rule(slot)
        for slot in missing:
            if slot.tensor.dtype != dtype_of(slot):
                slot.put(slot.tensor.detach().to(dtype_of(slot)))

    @contextmanager
    def _spared(self, done: Iterable[Slot]) -> Iterator[None]:
        """Keep what is initialised already out of reach."""
        held = [(slot, slot.tensor) for slot in done]
        for slot, tensor in held:
            slot.put(tensor.detach().to("meta"))
        yield
        for slot, tensor in held:
            slot.put(tensor)

    def _open(self, missing: Iterable[Slot]) -> Iterator[Slot]:
        return (slot for slot in missing if not self.how[slot.path])

    def _settle(self, missing: Iterable[Slot], by: str) -> None:
        for slot in self._open(missing):
            if not is_poison(slot.tensor):
                self.how[slot.path] = by

    def _run(self, initialise: Callable[[nn.Module], object], module: nn.Module) -> None:
        try:
            with torch.no_grad(), lenient():  # type: ignore[no-untyped-call]
                initialise(module)
        except Exception as error:
            raise CheckpointError(
                f"{type(self.model).__name__}: initialising {type(module).__name__} for weights that are not "
                f"in the checkpoint failed: {type(error).__name__}: {error}"
            ) from error

    def _constructed(self, path: str) -> Tensor | None:
        """The value that a second, real construction gives to ``path``; None when it leaves it unset."""
        if self._second is None:
            self._second = ({}, {})
            if self._rebuild is not None:
                with poisoned():
                    again = self._rebuild()
                self._second = slots(again), attributes(again)
        places, plain = self._second
        found = places[path].tensor.detach() if path in places else plain.get(path)
        return None if found is None or is_poison(found) else found

    def buffers(self, places: Iterable[Slot]) -> None:
        """Give the buffers that are still on the meta device the value that the constructor computes on real
        memory."""
        for slot in places:
            if not slot.parameter and slot.tensor.is_meta:
                value = self._constructed(slot.path)
                if value is None:
                    self.unset.append(slot.path)
                else:
                    slot.put(value)

    def attributes(self, replaced: Mapping[int, tuple[Tensor, Slot]]) -> None:
        """The same for tensors that are plain attributes; one that is a former tensor of a slot, by identity,
        becomes what the slot holds now."""

        def real(path: str, tensor: Tensor) -> Tensor:
            if (known := replaced.get(id(tensor))) is not None:
                return known[1].tensor
            if not tensor.is_meta:
                return tensor
            value = self._constructed(path)
            if value is None:
                self.unset.append(path)
                return tensor
            return value

        replace_attributes(self.model, real)

    def refuse(self) -> None:
        """Raises UninitializedWeights, naming every buffer and attribute that has no value."""
        unset = self.unset
        if unset:
            raise UninitializedWeights(
                f"{type(self.model).__name__} leaves {', '.join(unset)} without a value: no file has "
                f"{'it' if len(unset) == 1 else 'them'} and the constructor makes uninitialised memory "
                "(torch.empty) without filling it. Fill it in __init__, or register it as a persistent "
                "buffer and store it in the checkpoint."
            )


def _with_initialiser(
    model: nn.Module, owners: set[int]
) -> list[tuple[nn.Module, Callable[[nn.Module], object]]]:
    """The modules that own or contain a missing tensor, inner ones first, each with the ``_init_weights`` of
    the innermost model around it."""
    found: list[tuple[nn.Module, Callable[[nn.Module], object]]] = []
    seen: set[int] = set()

    def visit(module: nn.Module, initialise: Callable[[nn.Module], object] | None) -> bool:
        initialise = getattr(module, "_init_weights", None) or initialise
        concerned = id(module) in owners
        for child in module.children():
            concerned |= visit(child, initialise)
        if concerned and id(module) not in seen and initialise is not None:
            seen.add(id(module))
            found.append((module, initialise))
        return concerned

    visit(model, None)
    return found


@torch.no_grad()
def _base_rule(slot: Slot) -> str:
    """Fill a parameter that nobody initialises: biases zero, other vectors one, the rest normal."""
    tensor, leaf = slot.tensor, slot.name.lower()
    if not tensor.is_floating_point():
        tensor.zero_()
        return "zeros"
    if "bias" in leaf or "beta" in leaf:
        tensor.zero_()
        return "zeros"
    if tensor.ndim < 2:
        tensor.fill_(1.0)
        return "ones"
    tensor.normal_(0.0, 0.02)
    return "normal(0, 0.02)"
