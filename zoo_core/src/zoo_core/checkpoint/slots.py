"""Every place of a model that holds a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(slots=True)
class Slot:
    """A parameter or buffer: ``module.name``, reached by the canonical name ``path``."""

    path: str
    module: nn.Module
    name: str
    parameter: bool
    persistent: bool

    @property
    def tensor(self) -> Tensor:
        held = self.module._parameters if self.parameter else self.module._buffers
        tensor = held[self.name]
        assert tensor is not None
        return tensor

    def put(self, tensor: Tensor) -> Tensor:
        """Hold ``tensor`` instead; a parameter stays one, of the same kind. Returns what is held now."""
        if not self.parameter:
            self.module._buffers[self.name] = tensor
            return tensor
        old = self.tensor
        if not isinstance(tensor, nn.Parameter):
            grad = old.requires_grad and (tensor.is_floating_point() or tensor.is_complex())
            tensor = nn.Parameter(tensor, requires_grad=grad)
            for key, value in old.__dict__.items():
                setattr(tensor, key, value)
        setattr(
            self.module, self.name, tensor
        )  # not into the dictionary: recurrent modules keep lists as well
        return tensor


def slots(model: nn.Module) -> dict[str, Slot]:
    """Every parameter and buffer by canonical name; what is shared appears under each of its names."""
    found: dict[str, Slot] = {}
    for prefix, module in model.named_modules(remove_duplicate=False):
        start = f"{prefix}." if prefix else ""
        for name, parameter in module._parameters.items():
            if parameter is not None:
                found[start + name] = Slot(start + name, module, name, True, True)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                persistent = name not in module._non_persistent_buffers_set
                found[start + name] = Slot(start + name, module, name, False, persistent)
    return found


_INTERNAL = frozenset(nn.Module().__dict__)
_CONTAINERS = (list, tuple, dict)


def replace_attributes(model: nn.Module, change: Callable[[str, Tensor], Tensor]) -> None:
    """Replace the tensors that modules keep as plain attributes, also in lists, tuples and dictionaries."""
    for prefix, module in model.named_modules():
        for name, value in tuple(module.__dict__.items()):
            if (type(value) in _CONTAINERS or isinstance(value, Tensor)) and name not in _INTERNAL:
                changed = _changed(f"{prefix}.{name}" if prefix else name, value, change)
                if changed is not value:
                    object.__setattr__(module, name, changed)


def _changed(path: str, value: Any, change: Callable[[str, Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(path, value)
    if type(value) is dict:
        pairs = {k: _changed(f"{path}.{k}", item, change) for k, item in value.items()}
        return value if all(pairs[k] is value[k] for k in value) else pairs
    if type(value) in _CONTAINERS:
        items = [_changed(f"{path}.{i}", item, change) for i, item in enumerate(value)]
        same = all(a is b for a, b in zip(items, value, strict=True))
        return value if same else type(value)(items)
    return value


def attributes(model: nn.Module) -> dict[str, Tensor]:
    """The tensors that modules keep as plain attributes, by path."""
    found: dict[str, Tensor] = {}

    def note(path: str, tensor: Tensor) -> Tensor:
        found[path] = tensor
        return tensor

    replace_attributes(model, note)
    return found


def tie_groups(model_slots: dict[str, Slot], ties: dict[str, str]) -> dict[str, str]:
    """Alias to owner: what is declared (chains followed), and what the constructor made one tensor.

    A declared tie between tensors of different shapes, or of which one is not there, does not hold.
    """
    owner_of: dict[str, str] = {}
    first: dict[int, str] = {}
    for path, slot in model_slots.items():
        owner = first.setdefault(id(slot.tensor), path)
        if owner != path:
            owner_of[path] = owner
    for alias, owner in ties.items():
        while owner in ties and ties[owner] != alias:
            owner = ties[owner]
        a, o = model_slots.get(alias), model_slots.get(owner)
        if a is not None and o is not None and a.tensor.shape == o.tensor.shape:
            owner_of.pop(owner, None)
            owner_of[alias] = owner
    for alias in list(owner_of):
        owner = owner_of[alias]
        while owner in owner_of:
            owner = owner_of[owner]
        owner_of[alias] = owner
    return owner_of
