"""The record with which a package advertises an architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

ARCHITECTURES_GROUP = "zoo_core.architectures.v1"
COMPONENTS_GROUP = "zoo_core.components.v1"

Reference = str
"""Where a class lives, as ``"package.module:Class"``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One model type: which classes serve it, as strings, so that reading the record imports nothing.

    ``models`` maps the name of an Auto class to a reference, or to several when a checkpoint's
    ``architectures`` field decides between them (the first is the default). A plugin may use the name
    of an Auto class of its own.
    """

    model_type: str
    config: Reference
    models: Mapping[str, Reference | tuple[Reference, ...]] = field(default_factory=dict)
    tokenizer: Reference | tuple[Reference, ...] | None = None
    image_processor: Reference | None = None
    feature_extractor: Reference | None = None
    video_processor: Reference | None = None
    processor: Reference | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", MappingProxyType(dict(self.models)))

    def candidates(self, auto_class: str) -> tuple[Reference, ...]:
        """The references that ``auto_class`` may build for this type, default first; empty when none."""
        found = self.models.get(auto_class, ())
        return (found,) if isinstance(found, str) else tuple(found)
