"""A model in the worker: built hollow, described to the program, then bound to the program's weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.remote.wire.memory import Mapped
from zoo_core.remote.wire.naming import encode_tables
from zoo_core.remote.worker.skeleton import skeleton


class ModelHost:
    """One model. ``parameters`` holds each parameter once, under the first name that reaches it."""

    def __init__(self, cls: type[nn.Module], config: Any, dtype: torch.dtype) -> None:
        self._class = cls
        self._config = config
        self._dtype = dtype
        self._initial: dict[str, Tensor] | None = None
        with skeleton(dtype):
            self.module = cls(config)
        if not isinstance(self.module, nn.Module):
            raise TypeError(f"{cls.__name__} is not a torch.nn.Module")
        self.module.eval()
        self.parameters: dict[str, nn.Parameter] = dict(self.module.named_parameters())
        self._owners = self._find_owners()

    def _find_owners(self) -> dict[str, list[tuple[nn.Module, str, str]]]:
        """For each parameter, every module, attribute and full name under which it is registered."""
        first = {id(parameter): name for name, parameter in self.parameters.items()}
        owners: dict[str, list[tuple[nn.Module, str, str]]] = {name: [] for name in self.parameters}
        for prefix, module in self.module.named_modules(remove_duplicate=False):
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    full = f"{prefix}.{name}" if prefix else name
                    owners[first[id(parameter)]].append((module, name, full))
        return owners

    def take_generation(self, values: dict[str, Any]) -> None:
        """Let the settings of generation_config.json be the defaults of ``generate``; impossible ones are
        named in the log and left out."""
        if not values or not hasattr(self.module, "generation_config"):
            return
        from zoo_core.errors import GenerationError
        from zoo_core.generation import GenerationConfig

        try:
            self.module.generation_config = GenerationConfig.from_dict(values)
        except GenerationError as error:
            warnings.warn(f"{error}. generation_config.json is not used.", stacklevel=2)

    def description(self) -> dict[str, Any]:
        """What the program needs to know beside the tables."""
        module = self.module
        names = [name for name in dir(type(module)) if not name.startswith("_")]
        own = [n for n in names if not hasattr(nn.Module, n) and callable(getattr(type(module), n, None))]
        return {
            "class": type(module).__name__,
            "parameters": len(self.parameters),
            "base_model_prefix": str(getattr(module, "base_model_prefix", "") or ""),
            "main_input_name": str(getattr(module, "main_input_name", "input_ids")),
            "methods": own[:1000],
            "naming": encode_tables(module),
            "modules": {n: type(m).__name__ for n, m in list(module.named_modules())[:20_000]},
        }

    def table(self, start: int, count: int) -> list[list[Any]]:
        """Rows [name, dtype, shape, requires_grad, other names] of ``count`` parameters from ``start``."""
        return [
            [
                name,
                str(parameter.dtype).removeprefix("torch."),
                list(parameter.shape),
                parameter.requires_grad,
                sorted({full for _, _, full in self._owners[name]} - {name}),
            ]
            for name, parameter in list(self.parameters.items())[start : start + count]
        ]

    def buffers(self) -> dict[str, Any]:
        """Every buffer with its value, and the names of those that checkpoints hold."""
        values = dict(self.module.named_buffers())
        persistent = [
            f"{prefix}.{name}" if prefix else name
            for prefix, module in self.module.named_modules()
            for name, buffer in module._buffers.items()
            if buffer is not None and name not in module._non_persistent_buffers_set
        ]
        return {"values": values, "persistent": [name for name in persistent if name in values]}

    def initial_values(self, names: Sequence[str], *, done: bool) -> dict[str, Tensor]:
        """What the model's own initialisation gives the parameters called ``names``.

        The model is built once more, for real, as its own code computes the values; ``done`` lets go of it.
        """
        if self._initial is None:
            before = torch.get_default_dtype()
            torch.set_default_dtype(self._dtype)
            try:
                self._initial = dict(self._class(self._config).named_parameters())
            finally:
                torch.set_default_dtype(before)
        found = {name: self._initial[name].detach() for name in names}
        if done:
            self._initial = None
        return found

    def bind(self, descriptor: int, size: int, tensors: dict[str, list[Any]]) -> None:
        """Let the parameters be the program's memory, mapped read-only here."""
        memory = Mapped(descriptor, size, writable=False) if size else None
        for name, (dtype, shape, offset) in tensors.items():
            kind: torch.dtype = getattr(torch, dtype)
            value = memory.tensor(kind, tuple(shape), offset) if memory else torch.empty(shape, dtype=kind)
            parameter = nn.Parameter(value, requires_grad=self.parameters[name].requires_grad)
            self.parameters[name] = parameter
            for module, attribute, _ in self._owners[name]:
                setattr(module, attribute, parameter)

    def set_buffers(self, values: dict[str, Tensor]) -> None:
        """Give buffers the program's values."""
        for name, value in values.items():
            path, _, leaf = name.rpartition(".")
            self.module.get_submodule(path)._buffers[leaf] = value
