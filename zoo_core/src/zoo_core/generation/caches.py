"""The cache that a `generate` call decodes with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo_core.errors import GenerationError
from zoo_core.generation.accepted import takes
from zoo_core.generation.config import GenerationMode
from zoo_core.nn.cache import Cache

if TYPE_CHECKING:
    from zoo_core.generation.config import GenerationConfig

#: methods that go back over tokens, and so need every position
_REVISING = (GenerationMode.ASSISTED_GENERATION, GenerationMode.CONTRASTIVE_SEARCH)


def make_cache(
    model: Any, config: GenerationConfig, given: Cache | None, total: int, mode: GenerationMode
) -> Cache | None:
    """The given cache with room for `total` positions, or a new one; None where decoding goes without."""
    wanted = config.use_cache if model.caches is None else model.caches
    if not wanted or model.cache_name not in takes(model):
        if mode in _REVISING:
            raise GenerationError(f"{mode.value.replace('_', ' ')} needs a cache: pass use_cache=True")
        if given is not None:
            raise GenerationError(f"{model.cache_name} was passed and use_cache=False; leave one of both out")
        return None
    if given is not None:
        given.reserve(total)
        return given
    return _new(model, config.cache_implementation, dict(config.cache_config or {}), total, mode)


def _new(model: Any, kind: str | None, settings: dict[str, Any], total: int, mode: GenerationMode) -> Cache:
    if kind == "static":
        from zoo_core.nn.static_cache import StaticCache

        return StaticCache(capacity=total)
    if kind == "quantized":
        from zoo_core.nn.quantized_cache import QuantizedCache

        names = ("nbits", "q_group_size", "residual_length")
        unknown = [name for name in settings if name not in (*names, "backend", "axis_key", "axis_value")]
        if unknown:
            raise GenerationError(f"cache_config has no {unknown[0]!r}; it takes {', '.join(names)}")
        return QuantizedCache(**{name: settings[name] for name in names if name in settings})
    if kind is not None and kind.startswith("offloaded"):
        from zoo_core.nn.offloaded_cache import OffloadedCache

        return OffloadedCache(capacity=total)
    found: Cache = model.new_cache(capacity=total, sliding=mode not in _REVISING and kind != "dynamic_full")
    return found
