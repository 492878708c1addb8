"""Settings that live in a JSON file: typed class fields, unknown keys kept, nothing in the file obeyed.

``SettingsFile`` is what image processors, feature extractors, video processors and processors share: a
class declares its fields with defaults in the class body; the file's other keys are kept aside and
written back, so that saving what was loaded gives the same file.
"""

from __future__ import annotations

import copy
import inspect
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

from zoo_core.errors import ConfigError, FileNotInRepository

if TYPE_CHECKING:
    from zoo_core.hub import Repository


def plain(value: Any) -> Any:
    """``value`` in what JSON can hold: enums by value, arrays and tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return getattr(value, "value", value) if not isinstance(value, (str, int, float)) else value


@dataclass_transform(kw_only_default=True)
class SettingsFile:
    """Typed settings read from and written to one JSON file.

    Subclasses declare fields as annotations with defaults. Every instance also keeps ``extra``: keys of
    the file that no field claims. They are readable as attributes and written back, but never replace
    a method, a property or a class attribute.
    """

    file_names: ClassVar[tuple[str, ...]] = ("preprocessor_config.json",)
    """Where the settings are looked for, in this order; the first is the one written."""
    type_key: ClassVar[str] = ""
    """The key that holds the class's name in the file."""
    section: ClassVar[str] = ""
    """The key under which a processor_config.json may hold these settings."""
    computed: ClassVar[frozenset[str]] = frozenset()
    """Attributes that follow from the fields and stay out of the file."""
    renamed: ClassVar[Mapping[str, str]] = {}
    """Older spelling of a key -> the field it means."""
    _declared: ClassVar[dict[str, Any]]

    def __init__(self, **values: Any) -> None:
        self.extra: dict[str, Any] = {}
        for old, new in self.renamed.items():
            if old in values:
                values.setdefault(new, values.pop(old))
        self.processor_class: str | None = values.pop("processor_class", values.pop("_processor_class", None))
        for name, default in self.fields().items():
            setattr(self, name, values.pop(name) if name in values else copy.deepcopy(default))
        values.pop(self.type_key, None)
        self.extra.update(values)

    @classmethod
    def fields(cls) -> dict[str, Any]:
        """Every declared field with its default, in the order of declaration, base classes first."""
        known = cls.__dict__.get("_declared")
        if known is None:
            known = {}
            for base in reversed(cls.__mro__):
                for name, kind in inspect.get_annotations(base).items():
                    if not str(kind).startswith(("ClassVar", "typing.ClassVar")):
                        known[name] = getattr(cls, name, None)
                    else:  # a subclass withdraws a field by fixing its value for the class
                        known.pop(name, None)
            cls._declared = known
        return dict(known)

    def __getattr__(self, name: str) -> Any:
        extra = self.__dict__.get("extra")
        if extra is not None and name in extra:
            return extra[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    # Reading

    @classmethod
    def read(
        cls, name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The file's dictionary and the keywords that did not say where to find it.

        ``name_or_path`` is a Hub name, a folder, or the path of a JSON file.
        """
        from zoo_core.hub import HubOptions, Repository

        options = HubOptions.pop_from(kwargs)
        return cls.read_from(Repository(name_or_path, options=options)), kwargs

    @classmethod
    def read_from(cls, repository: Repository) -> dict[str, Any]:
        """The settings in ``repository``: a file of their own, or a section of processor_config.json."""
        from zoo_core.hub import read_json_file

        if repository.single_file is not None:
            return read_json_file(repository.single_file)
        own_first, *others = cls.file_names
        if repository.find(own_first) is not None:
            return repository.read_json(own_first)
        if cls.section and repository.find("processor_config.json") is not None:
            section = repository.read_json("processor_config.json").get(cls.section)
            if isinstance(section, dict):
                return section
        for name in others:
            if repository.find(name) is not None:
                return repository.read_json(name)
        names = " or ".join(cls.file_names)
        raise FileNotInRepository(f"{repository.name} has no {names}, which {cls.__name__} is read from")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Load from the Hub, a folder or a JSON file.

        Args:
            pretrained_model_name_or_path: Hub name, folder, or path of the JSON file.
            **kwargs: hub options (``cache_dir``, ``force_download``, ``local_files_only``, ``proxies``,
                ``revision``, ``subfolder``, ``token``); ``return_unused_kwargs``; fields to override.

        Returns:
            The object, or ``(object, unused keywords)`` with ``return_unused_kwargs=True``.
        """
        for ignored in ("trust_remote_code", "code_revision", "use_fast", "_from_auto"):
            kwargs.pop(ignored, None)
        settings, kwargs = cls.read(pretrained_model_name_or_path, **kwargs)
        return cls.from_dict(settings, **kwargs)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], **kwargs: Any) -> Any:
        """Build from a dictionary; keywords that name a field or a key of it replace its values.

        Returns:
            The object, or ``(object, unused keywords)`` with ``return_unused_kwargs=True``.
        """
        wants_unused = kwargs.pop("return_unused_kwargs", False)
        merged = copy.deepcopy(dict(settings))
        known = set(cls.fields()) | set(merged) | set(cls.renamed)
        merged.update({name: kwargs.pop(name) for name in list(kwargs) if name in known})
        made = cls(**merged)
        return (made, kwargs) if wants_unused else made

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike[str]) -> Self:
        """Build from one JSON file."""
        from zoo_core.hub import read_json_file

        made: Self = cls.from_dict(read_json_file(Path(json_file)))
        return made

    # Writing

    def to_dict(self) -> dict[str, Any]:
        """All settings, fields and kept keys, as JSON would hold them."""
        found = {
            name: plain(value)
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in self.computed | {"extra", "processor_class"}
        }
        found.update(plain(self.extra))
        if self.processor_class is not None:
            found["processor_class"] = self.processor_class
        if self.type_key:
            found[self.type_key] = type(self).__name__
        return found

    def to_json_string(self) -> str:
        """``to_dict`` as JSON: sorted keys, two spaces, a final newline."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str]) -> None:
        """Write ``to_json_string`` to one file."""
        Path(json_file_path).write_text(self.to_json_string(), encoding="utf-8")

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], *, push_to_hub: bool = False, **kwargs: Any
    ) -> list[str]:
        """Write the JSON file into ``save_directory`` (made when missing).

        Args:
            push_to_hub: also upload it; ``repo_id`` (default: the folder's name) and what
                ``push_to_hub`` takes go to the Hub.

        Returns:
            The paths written.
        """
        folder = Path(save_directory)
        if folder.is_file():
            raise ConfigError(f"save_directory must be a folder; {folder} is a file")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_names[0]
        self.to_json_file(path)
        if push_to_hub:
            self.push_to_hub(kwargs.pop("repo_id", folder.name), **kwargs)
        return [str(path)]

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> str:
        """Upload the files of ``save_pretrained`` to ``repo_id``; returns the address of the commit.

        Args:
            **kwargs: ``commit_message``, ``private``, ``token``, ``revision``, ``create_pr``.
        """
        import tempfile

        from zoo_core.hub import upload

        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return upload(folder, repo_id, **kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"
