"""The module tree of a sandboxed model as the program sees it: names, parameters and buffers, no code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from zoo_core.errors import SandboxError
from zoo_core.remote.host.session import ParameterRow


class SandboxedPart(nn.Module):
    """A module inside of a sandboxed model. It holds its parameters; what it computes, it computes inside."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.__dict__["_kind"] = kind

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SandboxError(
            f"this {self._kind} runs inside of the sandbox only; call the whole model, or approve its "
            f"code and "
            "pass sandbox=False to reach inside"
        )

    def __len__(self) -> int:
        return len(self._modules)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int) -> nn.Module:
        """The part with this number, of lists and sequences of modules."""
        found = list(self._modules.values())[index] if all(map(str.isdigit, self._modules)) else None
        if found is None:
            raise TypeError(f"this {self._kind} is not a list of modules")
        return found

    def _get_name(self) -> str:
        return str(self._kind)

    def _no_hook(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SandboxError("hooks cannot reach modules inside of the sandbox; the whole model takes hooks")

    register_forward_hook = _no_hook
    register_forward_pre_hook = _no_hook
    register_full_backward_hook = _no_hook
    register_full_backward_pre_hook = _no_hook


def grow(
    root: nn.Module, rows: Sequence[ParameterRow], modules: Mapping[str, str]
) -> dict[str, nn.Parameter]:
    """Give ``root`` the tree that the rows describe, with parameters on the meta device.

    Returns the parameters by the first of their names; a shared one stands under each of its names.
    """
    found: dict[str, nn.Parameter] = {}
    for row in rows:
        floating = row.dtype.is_floating_point or row.dtype.is_complex
        empty = torch.empty(row.shape, dtype=row.dtype, device="meta")
        parameter = nn.Parameter(empty, requires_grad=row.trainable and floating)
        found[row.name] = parameter
        for name in (row.name, *row.aliases):
            _owner(root, name, modules).register_parameter(name.rpartition(".")[2], parameter)
    return found


def put_buffers(
    root: nn.Module, buffers: Mapping[str, Tensor], persistent: set[str], modules: Mapping[str, str]
) -> None:
    """Register the buffers in the tree of ``root``."""
    for name, value in buffers.items():
        owner = _owner(root, name, modules)
        owner.register_buffer(name.rpartition(".")[2], value, persistent=name in persistent)


def put_names(root: nn.Module, naming: Mapping[str, tuple[dict[Any, Any], tuple[str, ...]]]) -> None:
    """Hang the tables of names in files where the planner looks for them."""
    for path, (names, ignored) in naming.items():
        here: Any = root
        for step in path.split(".") if path else ():
            here = None if here is None else here._modules.get(step)
        if here is not None:  # A part without tensors has no place in the tree.
            here.__dict__.update(hub_names=names, ignored_names=ignored)


def places(root: nn.Module, names: Iterable[str]) -> list[tuple[str, nn.Module, str]]:
    """Where each name is registered: the module and the last part of the name. Found once, used in
    each call."""
    split = [(name, *name.rpartition(".")[::2]) for name in names]
    return [(name, root.get_submodule(path), leaf) for name, path, leaf in split]


def _owner(root: nn.Module, name: str, modules: Mapping[str, str]) -> nn.Module:
    """The module that holds ``name``, made on the way when it is not there."""
    here = root
    path: list[str] = []
    for step in name.split(".")[:-1]:
        path.append(step)
        if step not in here._modules:
            if hasattr(here, step):
                raise SandboxError(
                    f"the sandboxed model has a module called {step!r}, a name that torch needs"
                )
            here.add_module(step, SandboxedPart(modules.get(".".join(path), "Module")[:100]))
        child = here._modules[step]
        assert child is not None
        here = child
    leaf = name.rpartition(".")[2]
    if leaf not in here._parameters and leaf not in here._buffers and hasattr(here, leaf):
        raise SandboxError(f"the sandboxed model has a tensor called {leaf!r}, a name that torch needs")
    return here
