"""From a configuration to the class that an Auto class builds for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zoo_core import registry
from zoo_core.config import config_class_for
from zoo_core.errors import UnknownArchitecture
from zoo_core.registry import Candidate

if TYPE_CHECKING:
    from zoo_core.config import PretrainedConfig

_FRAMEWORK = re.compile(r"^(TF|Flax)(?=[A-Z])")


def model_class(auto_class: str, config: PretrainedConfig) -> type[Any]:
    """The model class that serves ``auto_class`` for ``config``.

    Of several candidates the first that ``config.architectures`` names is taken, else the first of all.

    Raises:
        UnknownArchitecture: nothing serves this type, or this class of config, under ``auto_class``.
    """
    kind = type(config)
    if (found := registry.registered_class(auto_class, kind)) is not None:
        return found
    model_type = getattr(kind, "model_type", "") or getattr(config, "model_type", "")
    if not isinstance(model_type, str) or not model_type:
        raise UnknownArchitecture(
            f"Unrecognized configuration class {kind.__module__}.{kind.__qualname__} for this kind of "
            f"AutoModel: {auto_class}. It takes a PretrainedConfig whose class has a model_type, such as the "
            f"result of AutoConfig.from_pretrained; {auto_class}.register(ConfigClass, ModelClass) adds one."
        )
    resolved = registry.get(model_type)
    candidates = resolved.candidates(auto_class)
    expected = config_class_for(model_type)
    if not isinstance(config, expected):
        raise UnknownArchitecture(
            f"Unrecognized configuration class {kind.__module__}.{kind.__qualname__} for this kind of "
            f"AutoModel: {auto_class}. It says model_type={model_type!r}, whose configuration class is "
            f"{expected.__module__}.{expected.__qualname__}. Make it a subclass of that, or register it: "
            f"{auto_class}.register({kind.__name__}, ModelClass)."
        )
    if not candidates:
        raise registry.unsupported(auto_class, model_type, resolved.auto_classes(), config=kind.__name__)
    return _by_architectures(candidates, getattr(config, "architectures", None) or ()).load()


def _by_architectures(candidates: Sequence[Candidate], architectures: Sequence[str]) -> Candidate:
    wanted = [_FRAMEWORK.sub("", name) for name in architectures if isinstance(name, str)]
    by_name = {candidate.reference.partition(":")[2]: candidate for candidate in candidates}
    return next((by_name[name] for name in wanted if name in by_name), candidates[0])


def component_class(
    auto_class: str,
    model_type: str,
    *,
    config_class: type[Any] | None = None,
    slots: Sequence[str] = ("default",),
) -> type[Any] | None:
    """The tokenizer or processor class of ``model_type``; None when the type is known and has none.

    What ``register`` added comes first, from the first of ``slots`` that is filled.
    """
    kind = config_class or _config_class_if_needed(auto_class, model_type)
    for slot in slots if kind is not None else ():
        if (found := registry.registered_class(auto_class, kind, slot=slot)) is not None:  # type: ignore[arg-type]
            return found
    if registry.registered_config(model_type) is not None and model_type not in registry.providers():
        return None
    candidates = registry.get(model_type).candidates(auto_class)
    return candidates[0].load() if candidates else None


def _config_class_if_needed(auto_class: str, model_type: str) -> type[Any] | None:
    """The config class of ``model_type``, when something was registered that could be keyed by it."""
    from zoo_core.registry import runtime

    return config_class_for(model_type) if runtime.registrations(auto_class) else None


def distribution_of(model_type: str | None) -> str | None:
    """Who provides ``model_type``, to look for its components there first; None when nobody does."""
    if model_type is None or model_type not in registry.names():
        return None
    try:
        return registry.get(model_type).distribution
    except UnknownArchitecture:  # only its config class was registered
        return None


def first_known(
    names: Sequence[str | None], find: Callable[[str], type[Any]]
) -> tuple[type[Any] | None, list[str]]:
    """The first of ``names`` that ``find`` knows, and those that it did not know before it."""
    from zoo_core.errors import UnknownComponent

    unknown: list[str] = []
    for name in filter(None, names):
        try:
            return find(name), unknown
        except UnknownComponent:
            unknown.append(name)
    return None, unknown
