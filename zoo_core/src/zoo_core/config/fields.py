"""The fields of a config class: what they are called, their annotation and their default."""

from __future__ import annotations

import copy
import inspect
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

from zoo_core.config.types import convert

if TYPE_CHECKING:
    from zoo_core.config.base import PretrainedConfig

T = TypeVar("T")
ConfigT = TypeVar("ConfigT", bound="PretrainedConfig")


class _Missing:
    """Marks a field that has no default."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


@dataclass(frozen=True)
class _Default:
    value: Any


@dataclass(frozen=True)
class SubConfig:
    """What `sub_config` leaves in the class body."""

    default: str | type[PretrainedConfig] | None
    optional: bool
    fixed: bool
    overrides: Mapping[str, Any]

    def convert(self, name: str, value: Any) -> PretrainedConfig | None:
        """A part from a config, a mapping or None."""
        from zoo_core.config.base import PretrainedConfig
        from zoo_core.config.parts import config_class_for, part_class
        from zoo_core.config.types import Mismatch

        if isinstance(value, PretrainedConfig):
            return value
        if value is None:
            if self.optional or self.default is None:
                return None
            kind = config_class_for(self.default) if isinstance(self.default, str) else self.default
            return kind(**self.overrides)
        if not isinstance(value, Mapping):
            raise Mismatch("must be a config or an object of its fields")
        return part_class(value, default=self.default, fixed=self.fixed).from_dict(value)


def field(default: T) -> T:
    """A default that is copied for each instance: ``depths: list[int] = field([2, 2, 6, 2])``."""
    return typing.cast(T, _Default(default))


@overload
def sub_config(
    default: type[ConfigT], *, optional: typing.Literal[False] = False, fixed: bool = False, **overrides: Any
) -> ConfigT: ...
@overload
def sub_config(
    default: str | type[PretrainedConfig] | None,
    *,
    optional: bool = False,
    fixed: bool = False,
    **overrides: Any,
) -> Any: ...
def sub_config(
    default: str | type[PretrainedConfig] | None,
    *,
    optional: bool = False,
    fixed: bool = False,
    **overrides: Any,
) -> Any:
    """A part that is a config itself, found through the registry by its own ``model_type``.

    ``text_config: PretrainedConfig = sub_config("llama")`` accepts a config, a mapping (its
    ``model_type`` decides the class, also one that a third party registered; without one the default
    decides) or None (the default part, built with ``overrides``).

    Args:
        default: ``model_type`` or config class of the part that is meant when nothing says otherwise;
            None when there is no usual part, so that None stays None.
        optional: None means that the part is absent, not that it is the default one.
        fixed: the part is always of the default class, whatever ``model_type`` the file gives it.
        overrides: field values of the default part that differ from its own defaults.
    """
    if fixed and default is None:
        raise TypeError(
            "sub_config(None, fixed=True) names no class: give the config class or its model_type"
        )
    return SubConfig(default, optional, fixed, overrides)


@dataclass(frozen=True)
class Field:
    """One declared field. ``owner`` is the class whose body holds the annotation."""

    name: str
    owner: type
    annotation: Any
    default: Any

    @cached_property
    def type(self) -> Any:
        """The evaluated annotation; Any where it names something that only type checkers import."""
        if not isinstance(self.annotation, str):
            return self.annotation
        module = sys.modules.get(self.owner.__module__)
        try:
            return eval(self.annotation, {**vars(typing), **vars(module)} if module else vars(typing))
        except (NameError, AttributeError, TypeError):
            return Any

    def make_default(self) -> Any:
        """A default of the instance's own."""
        if isinstance(self.default, SubConfig):
            return self.default.convert(self.name, None)
        value = self.default.value if isinstance(self.default, _Default) else self.default
        return copy.deepcopy(value) if isinstance(value, list | dict | set) else value

    def plain_default(self) -> Any:
        """The default as a value to compare with; MISSING for parts."""
        return MISSING if isinstance(self.default, SubConfig) else self.make_default()

    def convert(self, value: Any) -> Any:
        """``value`` as this field keeps it; raises `Mismatch` with the broken rule."""
        if isinstance(self.default, SubConfig):
            return self.default.convert(self.name, value)
        return convert(self.type, value)


class Alias:
    """A conventional name for a field: reads, writes and deletes go to ``target``."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __get__(self, instance: Any, owner: type) -> Any:
        return getattr(owner if instance is None else instance, self.target)

    def __set__(self, instance: Any, value: Any) -> None:
        setattr(instance, self.target, value)

    def __delete__(self, instance: Any) -> None:
        delattr(instance, self.target)


class FieldSignature:
    """What `inspect.signature` and `help` show of a config class: its fields with their defaults."""

    def __get__(self, instance: Any, owner: Any) -> inspect.Signature:
        written = [p for name, p in inspect.signature(owner.__init__).parameters.items() if name != "self"]
        rest = [p for p in written if p.kind is p.VAR_KEYWORD]
        named = {p.name: p for p in written if p not in rest}
        for field in owner.__config_fields__.values():
            if field.owner.__module__ != "zoo_core.config.conventions" and field.name not in named:
                default = None if isinstance(field.default, SubConfig) else field.make_default()
                named[field.name] = inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if default is MISSING else default,
                    annotation=field.annotation,
                )
        return inspect.Signature([*named.values(), *rest])


def collect(cls: type) -> dict[str, Field]:
    """The fields of ``cls``: inherited ones, then its own annotations; also sets the class's aliases.

    Annotations with ``ClassVar`` declare no field. A default without an annotation changes an inherited
    field's default; a property or method of the same name takes the field away.
    """
    fields: dict[str, Field] = {}
    for base in reversed(cls.__bases__):
        fields.update(getattr(base, "__config_fields__", {}))
    notes = inspect.get_annotations(cls)
    own = {name: note for name, note in notes.items() if name != "num_labels" and not _is_class_var(note)}
    for alias in _own_aliases(cls, own):
        fields.pop(alias, None)
    for name, value in list(vars(cls).items()):
        if name in fields and name not in own:
            if callable(value) or hasattr(value, "__get__"):
                del fields[name]
            else:
                fields[name] = replace(fields[name], default=_default(cls, name))
    fields.update({name: Field(name, cls, note, _default(cls, name)) for name, note in own.items()})
    return fields


def _own_aliases(cls: Any, own: Mapping[str, Any]) -> Mapping[str, str]:
    """The aliases that the body of ``cls`` adds, as attributes of the class; inherited ones stay."""
    added: Mapping[str, str] = vars(cls).get("attribute_map", {})
    for alias, target in added.items():
        if alias in own:
            raise TypeError(f"{cls.__name__}: {alias!r} is both a field and an alias of {target!r}; drop one")
        setattr(cls, alias, Alias(target))
    merged = {**getattr(super(cls, cls), "attribute_map", {}), **added}
    cls.attribute_map = {alias: target for alias, target in merged.items() if alias not in own}
    return added


def _default(cls: Any, name: str) -> Any:
    """The default of ``name`` in the body of ``cls``; what cannot be a class attribute is taken off it."""
    value = vars(cls).get(name, MISSING)
    if isinstance(value, SubConfig | _Default):
        delattr(cls, name)
    if isinstance(inspect.getattr_static(cls, name, None), Alias):
        setattr(cls, name, None)  # an alias of the parent's, which is a field of its own here
    return value


def _is_class_var(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.removeprefix("typing.").startswith("ClassVar")
    return annotation is typing.ClassVar or typing.get_origin(annotation) is typing.ClassVar
