"""The record with which a package advertises an architecture, and the entry-point groups it goes into.

A distribution advertises, in its own metadata and without being imported::

    [project.entry-points."zoo_core.architectures.v1"]   # model_type = record
    gpt2 = "zoo_text.gpt2:ARCHITECTURE"

    [project.entry-points."zoo_core.components.v1"]      # class name found in JSON files = class
    GPT2Tokenizer = "zoo_text.tokenizers.byte_level:GPT2Tokenizer"

    [project.entry-points."zoo_core.extensions.v1"]      # model_type.AutoClass = class
    "bert.AutoModelForSentenceEmbedding" = "my_heads.model:BertForSentenceEmbedding"

An extension adds one head to a model type that another distribution provides: ``config_class`` of the
class is that distribution's, and nothing else of the type changes. It needs no record, so nothing of it
is imported before that Auto class is asked for that type. Offering an Auto class that the type already
has is a conflict, raised for that pair alone, until ``prefer("bert.AutoModelForMaskedLM", "my-heads")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

PLUGIN_API = 1
"""The last part of the groups' names; another number means another form of what stands in them."""

ARCHITECTURES_GROUP = f"zoo_core.architectures.v{PLUGIN_API}"
COMPONENTS_GROUP = f"zoo_core.components.v{PLUGIN_API}"
EXTENSIONS_GROUP = f"zoo_core.extensions.v{PLUGIN_API}"

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
    models: Mapping[str, Reference | tuple[Reference, ...]] = field(default_factory=dict, hash=False)
    tokenizer: Reference | tuple[Reference, ...] | None = None
    image_processor: Reference | None = None
    feature_extractor: Reference | None = None
    video_processor: Reference | None = None
    processor: Reference | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", MappingProxyType(dict(self.models)))

    def __reduce__(self) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in self.__slots__}  # a mapping proxy cannot be pickled
        return partial(Architecture, **{**values, "models": dict(self.models)}), ()

    def candidates(self, auto_class: str) -> tuple[Reference, ...]:
        """The references that ``auto_class`` may build for this type, default first; empty when none."""
        found = self.models.get(auto_class, ())
        return (found,) if isinstance(found, str) else tuple(found)


def classes(
    module: str, /, **by_auto_class: str | tuple[str, ...]
) -> dict[str, Reference | tuple[Reference, ...]]:
    """``models`` of a record whose classes live in one module: Auto class name = class name, or several.

    >>> classes("zoo_text.gpt2.model", AutoModel="GPT2Model")
    {'AutoModel': 'zoo_text.gpt2.model:GPT2Model'}
    """
    return {
        auto: f"{module}:{names}" if isinstance(names, str) else tuple(f"{module}:{name}" for name in names)
        for auto, names in by_auto_class.items()
    }
