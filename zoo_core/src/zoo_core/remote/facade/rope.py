"""Rotary frequencies by the names of their scaling, as code of repositories looks them up."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from zoo_core.nn.rope_scaling import frequencies

F = TypeVar("F", bound=Callable[..., Any])
_TYPES = ("default", "linear", "dynamic", "yarn", "longrope", "llama3")


def _compute(
    kind: str, config: Any, device: Any = None, seq_len: int | None = None, **_: Any
) -> tuple[Tensor, float]:
    """The inverse frequencies (width / 2,) and the factor of the tables."""
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    width = int(width * (getattr(config, "partial_rotary_factor", None) or 1.0))
    scaling = dict(getattr(config, "rope_scaling", None) or {})
    parameters = getattr(config, "rope_parameters", None)
    theta = getattr(config, "rope_theta", None) or (parameters or {}).get("rope_theta", 10000.0)
    chosen = None if kind == "default" else {**scaling, "rope_type": kind}
    found = frequencies(width, theta, chosen, config.max_position_embeddings)
    inverse = found.at(config.max_position_embeddings if seq_len is None else seq_len)
    return inverse.to(device), found.attention_factor


ROPE_INIT_FUNCTIONS: dict[str, Callable[..., tuple[Tensor, float]]] = {
    kind: functools.partial(_compute, kind) for kind in _TYPES
}


def dynamic_rope_update(rope_forward: F) -> F:
    """Around the forward of a rotary module: recompute its frequencies where they depend on the length."""

    @functools.wraps(rope_forward)
    def wrapper(self: Any, x: Tensor, position_ids: Tensor, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "rope_type", "default") in ("dynamic", "longrope"):
            with torch.no_grad():
                length = int(position_ids.max()) + 1
                inverse, self.attention_scaling = self.rope_init_fn(self.config, x.device, seq_len=length)
                self.register_buffer("inv_freq", inverse, persistent=False)
        return rope_forward(self, x, position_ids, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


def rope_config_validation(config: Any, ignore_keys: Any = None) -> None:
    """Refuse a scaling of an unknown kind."""
    scaling = getattr(config, "rope_scaling", None)
    if scaling:
        kind = scaling.get("rope_type", scaling.get("type"))
        if kind not in (*_TYPES, "mrope"):
            raise ValueError(f"rope_scaling: unknown type {kind!r}; known are {', '.join(_TYPES)}")
