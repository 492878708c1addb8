"""Text generation: `model.generate`, its settings, and the parts that callers extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo_core.generation.compiled import CompileConfig
    from zoo_core.generation.config import GenerationConfig, GenerationMode
    from zoo_core.generation.constraints import Constraint, DisjunctiveConstraint, PhrasalConstraint
    from zoo_core.generation.logits.base import LogitsProcessor, LogitsProcessorList
    from zoo_core.generation.mixin import GenerationMixin
    from zoo_core.generation.stopping import StoppingCriteria, StoppingCriteriaList
    from zoo_core.generation.streamers import (
        AsyncTextIteratorStreamer,
        BaseStreamer,
        TextIteratorStreamer,
        TextStreamer,
    )
    from zoo_core.generation.watermark import WatermarkDetector, WatermarkingConfig

_HOME = {
    "AsyncTextIteratorStreamer": "streamers",
    "BaseStreamer": "streamers",
    "CompileConfig": "compiled",
    "Constraint": "constraints",
    "DisjunctiveConstraint": "constraints",
    "GenerationConfig": "config",
    "GenerationMixin": "mixin",
    "GenerationMode": "config",
    "LogitsProcessor": "logits.base",
    "LogitsProcessorList": "logits.base",
    "PhrasalConstraint": "constraints",
    "StoppingCriteria": "stopping",
    "StoppingCriteriaList": "stopping",
    "TextIteratorStreamer": "streamers",
    "TextStreamer": "streamers",
    "WatermarkDetector": "watermark",
    "WatermarkingConfig": "watermark",
}

__all__ = [
    "AsyncTextIteratorStreamer",
    "BaseStreamer",
    "CompileConfig",
    "Constraint",
    "DisjunctiveConstraint",
    "GenerationConfig",
    "GenerationMixin",
    "GenerationMode",
    "LogitsProcessor",
    "LogitsProcessorList",
    "PhrasalConstraint",
    "StoppingCriteria",
    "StoppingCriteriaList",
    "TextIteratorStreamer",
    "TextStreamer",
    "WatermarkDetector",
    "WatermarkingConfig",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value
