"""`PretrainedConfig`: typed fields over config.json."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, overload

from zoo_core.config import rules, serialize
from zoo_core.config.composite import Composite
from zoo_core.config.conventions import (
    MOST_GENERATED_LABELS,
    ConventionalFields,
    GenerationFields,
    dtype_name,
    label_names,
)
from zoo_core.config.fields import MISSING, FieldSignature
from zoo_core.config.rules import Problem
from zoo_core.config.types import Mismatch
from zoo_core.errors import ConfigError
from zoo_core.remote.trust import FORBIDDEN_KEYS

if TYPE_CHECKING:
    from zoo_core.config.fields import Field

HEAD_WIDTH_FIELDS = (
    "head_dim",
    "attention_head_size",
    "d_kv",
    "kv_channels",
    "qk_head_dim",
    "attention_head_dim",
)
"""With one of these the width of a head is said, not derived."""


class PretrainedConfig(Composite, ConventionalFields, GenerationFields):
    """The configuration of a model: data from config.json, checked against typed fields.

    A subclass names its ``model_type`` and annotates its fields with defaults::

        class ViTConfig(PretrainedConfig):
            model_type = "vit"
            hidden_size: int = 768
            num_attention_heads: int = 12
            depths: list[int] = field([2, 2])  # copied for each instance

            def check(self) -> Iterator[tuple[str, str]]:
                if self.hidden_size % 8:
                    yield "hidden_size", "must be a multiple of 8"

    Every field is a keyword of the constructor. ``attribute_map`` gives fields their conventional names
    (``{"hidden_size": "n_embd"}``), which work everywhere a field's own name does. ``__post_init__``
    derives values that depend on others; ``check`` yields (field, rule) for each rule that is broken.
    Fields of a checkpoint that the class does not declare become attributes and are written back.

    Raises:
        ConfigError: wrong types or impossible values; all of them are listed at once.
    """

    model_type: ClassVar[str] = ""
    attribute_map: ClassVar[Mapping[str, str]] = {}
    base_config_key: ClassVar[str] = ""
    """The field under which a composite keeps this config, for files that give it no ``model_type``."""
    heads_divide_width: ClassVar[bool] = True
    """Whether num_attention_heads must divide hidden_size; never asked where the head width is a field."""
    keys_to_ignore_at_inference: ClassVar[tuple[str, ...] | list[str]] = ()
    _default_num_labels: ClassVar[int] = 2
    _auto_class: ClassVar[str | None] = None
    _commit_hash: ClassVar[str | None] = None
    __signature__: ClassVar[Any] = FieldSignature()

    if TYPE_CHECKING:  # generic code reads fields that a subclass or a checkpoint adds

        def __getattr__(self, name: str) -> Any: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        count = cls.__dict__.get("num_labels")
        if isinstance(count, int):  # the default of a class whose labels are not the usual two
            cls._default_num_labels = count
            del cls.num_labels
        super().__init_subclass__(**kwargs)

    def __init__(self, /, **kwargs: Any) -> None:
        values = self._by_field_name(kwargs)
        num_labels = values.pop("num_labels", None)
        model_type = values.pop("model_type", None)
        attn_implementation = values.pop("attn_implementation", None)
        self.name_or_path = values.pop("name_or_path", "")
        problems = list(self._set_fields(values))
        problems += self._set_labels(values, num_labels)
        for name, value in values.items():
            if name not in self.__config_fields__:
                self._keep(name, value)
        if model_type is not None and not type(self).model_type:
            self.__dict__["model_type"] = model_type
        self._attn_implementation = attn_implementation
        if not problems:
            self.__post_init__()
            problems += self._broken_rules()
        if problems:
            raise rules.fail(type(self).__name__, problems)

    def __post_init__(self) -> None:
        """Derive values that depend on others; called when all fields have the right types."""

    def check(self) -> Iterable[tuple[str, str]] | None:
        """Yield (field, rule) for each rule of this architecture that is broken."""
        return None

    def validate(self) -> None:
        """Check all fields and rules again, for example after assignments; raises `ConfigError`."""
        problems = []
        for name, field in self.__config_fields__.items():
            if (problem := self._convert(field, self.__dict__.get(name, MISSING))) is not None:
                problems += problem
        if not problems:
            problems += self._broken_rules()
        if problems:
            raise rules.fail(type(self).__name__, problems)

    def _by_field_name(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """``kwargs`` with aliases replaced by the fields they mean; an alias outranks the field."""
        values = dict(kwargs)
        if "torch_dtype" in values:
            old = values.pop("torch_dtype")
            values.setdefault("dtype", old)
        for alias, target in type(self).attribute_map.items():
            if alias in values and alias not in self.__config_fields__:
                values[target] = values.pop(alias)
        return values

    def _set_fields(self, values: Mapping[str, Any]) -> Iterator[Problem]:
        for name, field in self.__config_fields__.items():
            if name in values:
                yield from self._convert(field, values[name])
            elif field.default is MISSING:
                yield Problem(name, None, "must be given: it has no default")
            else:
                yield from self._convert(field, field.make_default(), check=False)

    def _convert(self, field: Field, value: Any, *, check: bool = True) -> list[Problem]:
        name = field.name
        if name == "dtype":
            value = dtype_name(value)
        try:
            value = field.convert(value) if check else value
        except Mismatch as error:
            if value is not None or name not in ConventionalFields.__config_fields__:
                return [Problem(name, value, str(error))]
            value = field.make_default()  # real files have null where a conventional value is meant
        except ConfigError as error:
            inner = [problem._replace(field=f"{name}.{problem.field}") for problem in error.problems]
            return inner or [Problem(name, value, str(error))]
        if check and (rule := rules.bounds(name, value, field.plain_default())):
            return [Problem(name, value, rule)]
        setattr(self, name, value)
        return []

    def _set_labels(self, values: Mapping[str, Any], num_labels: Any) -> Iterator[Problem]:
        """Couple ``id2label``, ``label2id`` and ``num_labels``: the maps outrank the number."""
        names = self.__dict__.get("id2label") if values.get("id2label") is not None else None
        if num_labels is not None and (isinstance(num_labels, bool) or not isinstance(num_labels, int)):
            yield Problem("num_labels", num_labels, "must be an integer")
        elif num_labels is not None and not 0 <= num_labels <= MOST_GENERATED_LABELS:
            yield Problem("num_labels", num_labels, f"must be from 0 to {MOST_GENERATED_LABELS}")
        elif names is None:
            self.id2label = label_names(self._default_num_labels if num_labels is None else num_labels)
        elif num_labels not in (None, len(names)):
            warnings.warn(
                f"num_labels={num_labels} does not fit id2label, which has {len(names)} entries; "
                f"id2label is used. Pass one of the two.",
                stacklevel=4,
            )
        if values.get("label2id") is None and isinstance(self.__dict__.get("id2label"), dict):
            self.label2id = {str(name): index for index, name in self.id2label.items()}

    def _keep(self, name: str, value: Any) -> None:
        """Store a value that no field declares; one that would hide a method is written back only."""
        found = getattr(type(self), name, None) if isinstance(name, str) else None
        read_only = isinstance(found, property) and found.fset is None
        if callable(found) or read_only or name in _RESERVED:
            self.__dict__.setdefault("_unreachable", {})[name] = value
        else:
            setattr(self, name, value)

    def _broken_rules(self) -> list[Problem]:
        known = {name: getattr(self, name, None) for name in rules.RELATED if self._declares(name)}
        derived = not any(hasattr(self, name) for name in HEAD_WIDTH_FIELDS)
        problems = list(rules.relations(known, heads_divide_width=self.heads_divide_width and derived))
        try:
            problems += [Problem(name, getattr(self, name, None), rule) for name, rule in self.check() or ()]
        except ConfigError as error:
            problems += error.problems
        return problems

    def _declares(self, name: str) -> bool:
        return type(self).attribute_map.get(name, name) in self.__config_fields__

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, dtype_name(value) if name == "dtype" else value)

    # What the caller alone decides; none of it comes from a file or goes into one

    @property
    def name_or_path(self) -> str:
        """Where the config was loaded from; "" when it was made in memory."""
        return str(self.__dict__.get("_name_or_path", ""))

    @name_or_path.setter
    def name_or_path(self, value: str | os.PathLike[str]) -> None:
        self.__dict__["_name_or_path"] = os.fspath(value or "")

    @property
    def use_return_dict(self) -> bool:
        """Whether models return a ModelOutput rather than a tuple."""
        return self.return_dict and not self.torchscript

    # As data

    def to_dict(self) -> dict[str, Any]:
        """All values, parts included, as plain Python data."""
        return serialize.full(self)

    def to_diff_dict(self) -> dict[str, Any]:
        """The values that config.json keeps: conventional ones only where they differ from a default."""
        return serialize.diff(self)

    def to_json_string(self, use_diff: bool = True) -> str:
        """config.json: sorted keys, two spaces, a newline at the end."""
        return serialize.dumps(self.to_diff_dict() if use_diff else self.to_dict())

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write `to_json_string`, replacing the file at once."""
        serialize.write(json_file_path, self.to_json_string(use_diff))

    def generation_parameters(self) -> dict[str, Any]:
        """Generation settings kept in this config that differ from the usual defaults."""
        return {
            name: value
            for name, field in GenerationFields.__config_fields__.items()
            if (value := self.__dict__.get(name)) != field.default
        }

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PretrainedConfig)
            and type(self) is type(other)
            and self.to_dict() == other.to_dict()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"

    # From data

    @overload
    @classmethod
    def from_dict(
        cls, config_dict: Mapping[str, Any], *, return_unused_kwargs: Literal[True], **kwargs: Any
    ) -> tuple[Self, dict[str, Any]]: ...
    @overload
    @classmethod
    def from_dict(
        cls, config_dict: Mapping[str, Any], *, return_unused_kwargs: Literal[False] = False, **kwargs: Any
    ) -> Self: ...
    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """A config from the content of config.json, with keywords of the caller's on top.

        ``kwargs`` that name an attribute override it; the others are dropped, or returned as the second
        of a tuple with ``return_unused_kwargs=True``.
        """
        from zoo_core.config.loading import from_mapping

        return from_mapping(cls, config_dict, kwargs)

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike[str]) -> Self:
        """A config from the path of a JSON file."""
        from zoo_core.config.loading import from_mapping
        from zoo_core.hub import read_json_file

        config: Self = from_mapping(cls, read_json_file(Path(json_file)), {}, source=os.fspath(json_file))
        return config

    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        return_unused_kwargs: Literal[True],
        **kwargs: Any,
    ) -> tuple[Self, dict[str, Any]]: ...
    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        return_unused_kwargs: Literal[False] = False,
        **kwargs: Any,
    ) -> Self: ...
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """The config of a repository, a folder or a JSON file.

        Loading a part's class from a composite's config.json picks the part.

        Args:
            pretrained_model_name_or_path: id on the hub, folder with a config.json, or JSON file.
            return_unused_kwargs: return ``(config, unused)``, the second being the keywords that name no
                attribute; otherwise these are dropped.
            kwargs: where and how to look (``cache_dir``, ``force_download``, ``local_files_only``,
                ``proxies``, ``revision``, ``token``, ``subfolder``); attributes override the file's values.
        """
        from zoo_core.config.loading import load

        return load(cls, pretrained_model_name_or_path, kwargs)

    @classmethod
    def get_config_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The content of config.json, and the keywords that did not say where to find it."""
        from zoo_core.config.loading import read_config

        found = read_config(pretrained_model_name_or_path, kwargs)
        return found.values, kwargs

    # Change and save

    def update(self, config_dict: Mapping[str, Any]) -> None:
        """Set several values; raises `ConfigError` for wrong ones, having set none of them."""
        before = dict(self.__dict__)
        try:
            problems: list[Problem] = []
            for name, value in self._by_field_name(config_dict).items():
                field = self.__config_fields__.get(name)
                if field is not None:
                    problems += self._convert(field, value)
                elif name == "num_labels":
                    self.num_labels = value
                else:
                    self._keep(name, value)
            if problems := problems or self._broken_rules():
                raise rules.fail(type(self).__name__, problems)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def update_from_string(self, update_str: str) -> None:
        """Set values from ``"n_embd=10,resid_pdrop=0.2,scale_attn_weights=false"``.

        Only existing int, float, bool and str values can be set this way.
        """
        self.update(serialize.parse_updates(self, update_str))

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> None:
        """Write config.json into ``save_directory``, which is made when missing.

        ``push_to_hub=True`` also uploads it, with the keywords of `push_to_hub`.
        """
        from zoo_core.config.loading import save

        save(self, save_directory, push_to_hub=push_to_hub, **kwargs)

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> str:
        """Upload config.json to ``repo_id`` (``commit_message``, ``private``, ``token``, ``create_pr``,
        ``revision``); returns the URL of the commit."""
        from zoo_core.config.loading import push

        return push(self, repo_id, **kwargs)

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoConfig") -> None:
        """Mark the class as the one that ``auto_map`` names when it is saved with its code."""
        cls._auto_class = auto_class if isinstance(auto_class, str) else auto_class.__name__


_RESERVED = FORBIDDEN_KEYS | {"model_type", "attribute_map", "base_config_key", "heads_divide_width"}
"""Names that no file and no keyword sets as an attribute."""
