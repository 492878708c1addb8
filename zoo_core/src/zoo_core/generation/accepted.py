"""Which arguments a model's forward takes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo_core.errors import GenerationError

if TYPE_CHECKING:
    pass


@cache
def _signature(function: Any) -> tuple[frozenset[str], bool]:
    parameters = inspect.signature(function).parameters.values()
    names = frozenset(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
    return names - {"self"}, any(p.kind is p.VAR_KEYWORD for p in parameters)


def _forward(kind: type) -> tuple[frozenset[str], bool]:
    """Names that the class's forward takes, through its **inputs those of the forwards it extends too."""
    found: frozenset[str] = frozenset()
    passes_on = False
    for base in kind.__mro__:
        if "forward" in vars(base) and not base.__module__.startswith("torch."):
            names, passes_on = _signature(vars(base)["forward"])
            found |= names
            if not passes_on:
                break
    return found, passes_on


def takes(model: Any) -> frozenset[str]:
    """Names that `forward` takes, through its **inputs those of the model inside too."""
    names, passes_on = _forward(type(model))
    inner = getattr(model, "base_model", model)
    if inner is model:
        inner = getattr(model, "get_decoder", lambda: model)() or model
    return names | takes(inner) if passes_on and inner is not model else names


def takes_anywhere(model: Any) -> frozenset[str]:
    """Names that any model inside takes: what an argument of `generate` may be meant for."""
    from zoo_core.modeling.model import PreTrainedModel

    found: set[str] = set()
    for module in model.modules():
        if module is model or isinstance(module, PreTrainedModel):
            found |= _forward(type(module))[0]
    prepare = getattr(model, "prepare_inputs_for_generation", None)
    if prepare is not None:
        found |= _signature(type(model).prepare_inputs_for_generation)[0]
    return frozenset(found)


def refuse_unknown(model: Any, names: Iterable[str], settings: Iterable[str]) -> None:
    """Raise for arguments of `generate` that neither the model nor a setting takes."""
    known = takes_anywhere(model) | {"output_attentions", "output_hidden_states", "output_router_logits"}
    unknown = sorted(name for name in names if name not in known)
    if not unknown:
        return
    hints = []
    for name in unknown:
        close = difflib.get_close_matches(name, [*settings, *known], n=1)
        hints.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    raise GenerationError(
        f"{type(model).__name__} takes no argument {', '.join(hints)}, and generate() has no such setting. "
        f"The following `model_kwargs` are not used by the model: {unknown}"
    )
