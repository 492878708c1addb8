"""``transformers.models.<x>``: classes of installed architectures, and small functions shared by many."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from zoo_core.remote.facade import blocks

_MODELS = "transformers.models."
_AUTO = re.compile(r"Auto[A-Z]\w*")
_BLOCKS = {
    "rotate_half": blocks.rotate_half,
    "repeat_kv": blocks.repeat_kv,
    "apply_rotary_pos_emb": blocks.apply_rotary_pos_emb,
    "eager_attention_forward": blocks.eager_attention_forward,
}


def is_module(name: str) -> bool:
    """Whether ``transformers.models.x[.y]`` belongs to an architecture that is installed."""
    if name == "transformers.models":
        return True
    if not name.startswith(_MODELS):
        return False
    parts = name.removeprefix(_MODELS).split(".")
    if parts[0] == "auto":
        return len(parts) < 3
    return len(parts) < 3 and _record(parts[0]) is not None


def find(module: str, name: str) -> Any:
    """The class called ``name``: an Auto class, a model, config, tokenizer or processor; None without one."""
    if _AUTO.fullmatch(name):
        return getattr(importlib.import_module("zoo_core"), name, None)
    if module.startswith(_MODELS):
        if name in _BLOCKS:
            return _BLOCKS[name]
        if name.endswith("RMSNorm"):
            return blocks.RMSNorm
        record = _record(module.removeprefix(_MODELS).split(".")[0])
        found = None if record is None else _in_record(record, name)
        if found is not None:
            return _served(found)
    return _component(name) or _served(_anywhere(name))


@cache
def _served(found: Any) -> Any:
    """A model class with what code of repositories calls on its bases; anything else as it is."""
    from zoo_core.modeling.model import PreTrainedModel as Native
    from zoo_core.remote.facade.modeling import PreTrainedModel

    if not isinstance(found, type) or not issubclass(found, Native):
        return found
    return type(found.__name__, (found, PreTrainedModel), {"__module__": found.__module__})


class _ConfigMapping(Mapping[str, Any]):
    """Config classes of installed architectures by model type."""

    def __getitem__(self, model_type: str) -> Any:
        from zoo_core.config import config_class_for
        from zoo_core.errors import RegistryError

        try:
            return config_class_for(model_type)
        except RegistryError as error:
            raise KeyError(str(error)) from None

    def __iter__(self) -> Iterator[str]:
        from zoo_core import registry

        return iter(registry.names())

    def __len__(self) -> int:
        return sum(1 for _ in self)


CONFIG_MAPPING = _ConfigMapping()


@cache
def _record(model_type: str) -> Any:
    from zoo_core import registry
    from zoo_core.errors import RegistryError

    for spelled in (model_type, model_type.replace("_", "-")):
        try:
            return registry.get(spelled).architecture
        except RegistryError:
            continue
    return None


def _in_record(record: Any, name: str) -> Any:
    """``name`` in the modules that ``record`` refers to, or a class that it names so."""
    references = [record.config, record.image_processor, record.processor, record.feature_extractor]
    for entry in (record.tokenizer, *record.models.values()):
        references += [entry] if isinstance(entry, str) else list(entry or ())
    for place in dict.fromkeys(text.partition(":")[0] for text in references if text):
        found = getattr(importlib.import_module(place), name, None)
        if found is not None:
            return found
    return None


def _component(name: str) -> Any:
    from zoo_core import registry
    from zoo_core.errors import RegistryError

    if not re.search(r"(Tokenizer(Fast)?|Processor|FeatureExtractor)$", name):
        return None
    try:
        return registry.component(name)
    except RegistryError:
        return None


def _anywhere(name: str) -> Any:
    """A model or config class by its name alone, as ``from transformers import BertModel`` asks for it."""
    from zoo_core import registry

    if not re.fullmatch(r"[A-Z]\w+", name):
        return None
    guesses = sorted(registry.names(), key=lambda kind: not _resembles(kind, name))
    for model_type in guesses:
        if not _resembles(model_type, name):
            return None
        record = _record(model_type)
        found = None if record is None else _in_record(record, name)
        if found is not None:
            return found
    return None


def _resembles(model_type: str, name: str) -> bool:
    return name.lower().startswith(re.sub(r"[^a-z0-9]", "", model_type.lower())[:4])
