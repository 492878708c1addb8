"""A decode step as machine code: `cache_implementation="static", compile_config=CompileConfig()`.

The step is compiled once for a model and kept with it; prompts, whose lengths differ, are read as always.
Worth it where a step is short: dispatching some ninety small operations is most of what a small model takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

_ATTRIBUTE = "_compiled_steps"


@dataclass(frozen=True, kw_only=True)
class CompileConfig:
    """Keywords of `torch.compile` for the decode step; `options` and `mode` exclude each other.

    mode: None, since "reduce-overhead" (CUDA graphs) makes a step on the CPU four times as long.
    options: inductor's; on the CPU without a mode, `cpp_wrapper` is among them unless they say otherwise,
        which halves the time of a small model's step and takes no longer to compile.
    """

    fullgraph: bool = False
    dynamic: bool | None = None
    backend: str | Callable[..., Any] = "inductor"
    mode: str | None = None
    options: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The keywords."""
        return asdict(self)


class _Steps(dict[str, Callable[..., Any]]):
    """Compiled steps of one model; a copy of the model compiles its own."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Steps:
        return _Steps()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Steps, ()


def compiled_step(model: Any, config: CompileConfig) -> Callable[..., Any]:
    """The forward of `model`, compiled as `config` says; the same function on every call."""
    import torch

    steps: _Steps = model.__dict__.setdefault(_ATTRIBUTE, _Steps())
    if config.backend == "inductor" and config.mode is None and model.device.type == "cpu":
        config = replace(config, options={"cpp_wrapper": True, **(config.options or {})})
    key = repr(config)
    if key not in steps:
        steps[key] = torch.compile(model.forward, **config.to_dict())
    return steps[key]
