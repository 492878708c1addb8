"""A processor joins a tokenizer with image, video and sound preprocessors under one call and one save."""

from __future__ import annotations

import difflib
import importlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import ProcessingError
from zoo_core.processing.batch_feature import BatchFeature
from zoo_core.processing.fields import SettingsFile
from zoo_core.processing.keywords import (
    AUDIO_KEYWORDS,
    AUTO_CLASSES,
    GROUPS,
    IMAGE_KEYWORDS,
    TEXT_KEYWORDS,
    VIDEO_KEYWORDS,
    auto_class_for,
    media_of,
)


class ProcessorMixin(SettingsFile):
    """Base of processors: components as attributes, settings of its own in processor_config.json.

    A subclass names its components in ``attributes`` and declares its own settings as fields::

        class LlavaProcessor(ProcessorMixin):
            attributes = ("image_processor", "tokenizer")
            patch_size: int | None = None

    Components that would overwrite each other's files (a second tokenizer) stand in ``subfolders``.
    """

    file_names = ("processor_config.json",)
    attributes: ClassVar[tuple[str, ...]] = ()
    optional_attributes: ClassVar[tuple[str, ...]] = ()
    subfolders: ClassVar[Mapping[str, str]] = {}
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Keywords that a call gets unless the caller says otherwise, by group (``text_kwargs``, …)."""

    def __init__(self, *components: Any, chat_template: str | None = None, **values: Any) -> None:
        names = self.attributes
        if len(components) > len(names):
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(names)}; got {len(components)} components"
            )
        given = dict(zip(names, components, strict=False))
        for name in names:
            if name in values:
                if name in given:
                    raise TypeError(f"{type(self).__name__} got {name} twice")
                given[name] = values.pop(name)
        missing = [name for name in names if given.get(name) is None and name not in self.optional_attributes]
        if missing:
            raise ProcessingError(f"{type(self).__name__} needs {', '.join(missing)}")
        super().__init__(**values)
        for name in names:
            setattr(self, name, given.get(name))
        if chat_template is None:
            chat_template = getattr(given.get("tokenizer"), "chat_template", None)
        self.chat_template = chat_template

    def to_dict(self) -> dict[str, Any]:
        """The processor's own settings; components and chat template have files of their own."""
        apart = {*self.attributes, "chat_template"}
        return {name: value for name, value in super().to_dict().items() if name not in apart}

    @property
    def model_input_names(self) -> list[str]:
        """Names of everything a call may return, components in order, each name once."""
        found = [
            name
            for attribute in self.attributes
            for name in getattr(getattr(self, attribute), "model_input_names", [])
        ]
        return list(dict.fromkeys(found))

    # Reading and writing

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Load every component and the processor's own settings from the Hub or a folder.

        Args:
            pretrained_model_name_or_path: Hub name or folder.
            **kwargs: hub options, ``trust_remote_code``, ``return_unused_kwargs``; what remains overrides
                fields of the processor, then settings of the components that have a field of that name.

        Returns:
            The processor, or ``(processor, unused keywords)`` with ``return_unused_kwargs=True``.
        """
        from zoo_core.hub import HubOptions, Repository

        located = dict(kwargs)
        options = HubOptions.pop_from(located)
        hub_keywords = {name: value for name, value in kwargs.items() if name not in located}
        wants_unused = located.pop("return_unused_kwargs", False)
        if (trust := located.pop("trust_remote_code", None)) is not None:
            hub_keywords["trust_remote_code"] = trust
        repository = Repository(pretrained_model_name_or_path, options=options)
        settings: dict[str, Any] = {}
        if repository.find("processor_config.json") is not None:
            settings = repository.read_json("processor_config.json")
        template = cls.read_chat_template(repository, settings)
        for name in (*AUTO_CLASSES, *cls.attributes):
            settings.pop(name, None)
        own = {name: located.pop(name) for name in list(located) if name in cls.fields()}
        components, used = [], set[str]()
        for name in cls.attributes:
            component, taken = cls.load_component(
                name, pretrained_model_name_or_path, hub_keywords=hub_keywords, overrides=located
            )
            components.append(component)
            used |= taken
        made = cls(*components, chat_template=template, **{**settings, **own})
        unused = {name: value for name, value in located.items() if name not in used}
        return (made, unused) if wants_unused else made

    @classmethod
    def load_component(
        cls,
        name: str,
        location: str | os.PathLike[str],
        *,
        hub_keywords: dict[str, Any],
        overrides: dict[str, Any],
    ) -> tuple[Any, set[str]]:
        """One component and the names of the overrides that it took; None where an optional one is absent."""
        auto = getattr(importlib.import_module("zoo_core"), auto_class_for(name))
        keywords = dict(hub_keywords)
        if name in cls.subfolders:
            keywords["subfolder"] = "/".join(filter(None, (keywords.get("subfolder"), cls.subfolders[name])))
        if auto_class_for(name) == "AutoTokenizer":
            return auto.from_pretrained(location, **keywords, **overrides), set(overrides)
        try:
            component, left = auto.from_pretrained(
                location, return_unused_kwargs=True, **keywords, **overrides
            )
        except (OSError, ValueError):
            if name in cls.optional_attributes:
                return None, set()
            raise
        return component, set(overrides) - set(left)

    @staticmethod
    def read_chat_template(repository: Any, settings: dict[str, Any]) -> str | None:
        """The repository's chat template: its own file, the older JSON file, or a key of the settings."""
        stored = settings.pop("chat_template", None)
        if (path := repository.find("chat_template.jinja")) is not None:
            return str(path.read_text(encoding="utf-8"))
        if repository.find("chat_template.json") is not None:
            stored = repository.read_json("chat_template.json").get("chat_template")
        return stored if isinstance(stored, str) else None

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], *, push_to_hub: bool = False, **kwargs: Any
    ) -> list[str]:
        """Write every component, the chat template and, where it is needed, processor_config.json."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        written: list[str] = []
        settings: dict[Path, dict[str, Any]] = {}
        for name in self.attributes:
            component = getattr(self, name)
            if component is None:
                continue
            component.processor_class = type(self).__name__
            target = folder / self.subfolders.get(name, "")
            written += [str(path) for path in component.save_pretrained(target) or ()]
            if isinstance(component, SettingsFile):
                path = target / component.file_names[0]
                if path in settings:  # of images and of sound: one file holds both
                    joined = {**settings[path], **component.to_dict()}
                    path.write_text(json.dumps(joined, indent=2, sort_keys=True) + "\n", encoding="utf-8")
                settings[path] = component.to_dict()
        if isinstance(self.chat_template, str):
            path = folder / "chat_template.jinja"
            path.write_text(self.chat_template, encoding="utf-8")
            written.append(str(path))
        self.processor_class = type(self).__name__
        alone = all(name.endswith("tokenizer") for name in self.attributes)  # no other file names the class
        if alone or set(self.to_dict()) != {"processor_class"}:
            path = folder / self.file_names[0]
            self.to_json_file(path)
            written.append(str(path))
        if push_to_hub:
            self.push_to_hub(kwargs.pop("repo_id", folder.name), **kwargs)
        return list(dict.fromkeys(written))

    # Calling

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Run each component on its input and join what they return.

        Args:
            images: one image or several; see the image processor.
            text: one text or several; see the tokenizer.
            videos: one video or several.
            audio: one waveform or several.
            **kwargs: ``return_tensors`` and keywords of the components, flat or in groups
                (``text_kwargs={...}``, ``images_kwargs``, ``videos_kwargs``, ``audio_kwargs``).

        Raises:
            ProcessingError: nothing was given, or no component takes what was given.
            TypeError: a keyword belongs to no component; names the closest that does.
        """
        given = {"images": images, "text": text, "videos": videos, "audio": audio}
        if all(value is None for value in given.values()):
            raise ProcessingError(f"{type(self).__name__} was called without {self.accepts()}")
        groups = self.route(kwargs)
        found: dict[str, Any] = {}
        for kind, value in given.items():
            if value is None:
                continue
            found.update(self.require(kind)(value, **groups[f"{kind}_kwargs"]))
        return BatchFeature(found)

    def require(self, kind: str) -> Any:
        """As `component`; raises ProcessingError where there is none."""
        component = self.component(kind)
        if component is None:
            raise ProcessingError(f"{type(self).__name__} takes no {kind}; it takes {self.accepts()}")
        return component

    def component(self, kind: str) -> Any:
        """The component that takes ``kind`` (images, text, videos or audio); None when there is none."""
        names = {
            "images": ("image_processor",),
            "text": ("tokenizer",),
            "videos": ("video_processor",),
            "audio": ("feature_extractor", "audio_processor"),
        }[kind]
        for name in names:
            if name in self.attributes and getattr(self, name) is not None:
                return getattr(self, name)
        return None

    def accepts(self) -> str:
        """What a call may be given, in words."""
        return " or ".join(kind for kind in ("images", "text", "videos", "audio") if self.component(kind))

    def route(self, kwargs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """A call's keywords in four groups; a flat keyword goes to every component that knows it."""
        left = dict(kwargs)
        groups = {group: dict(self.defaults.get(group, {})) for group in GROUPS}
        common = {**self.defaults.get("common_kwargs", {}), **left.pop("common_kwargs", {})}
        if "return_tensors" in left:
            common["return_tensors"] = left.pop("return_tensors")
        for keywords in groups.values():
            keywords.update(common)
        explicit = {group: left.pop(group, None) or {} for group in GROUPS}
        known = {
            "text_kwargs": TEXT_KEYWORDS,
            "images_kwargs": IMAGE_KEYWORDS | self.keywords_of("images"),
            "videos_kwargs": VIDEO_KEYWORDS | self.keywords_of("videos"),
            "audio_kwargs": AUDIO_KEYWORDS | self.keywords_of("audio"),
        }
        for name, value in left.items():
            takers = [
                group
                for group, names in known.items()
                if name in names and self.component(group.removesuffix("_kwargs")) is not None
            ]
            if not takers:
                names = sorted(frozenset().union(*known.values()))
                near = difflib.get_close_matches(name, names, 1)
                raise TypeError(
                    f"{type(self).__name__} has no keyword {name!r}"
                    + (f"; did you mean {near[0]!r}?" if near else "")
                )
            for group in takers:
                groups[group][name] = value
        for group, values in explicit.items():
            groups[group].update(values)
        return groups

    def keywords_of(self, kind: str) -> frozenset[str]:
        """Keywords that the component for ``kind`` says it understands."""
        component = self.component(kind)
        return frozenset(component.call_keywords()) if hasattr(component, "call_keywords") else frozenset()

    # Text

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """The tokenizer's ``decode``."""
        return str(self.text_side().decode(*args, **kwargs))

    def batch_decode(self, *args: Any, **kwargs: Any) -> list[str]:
        """The tokenizer's ``batch_decode``."""
        return list(self.text_side().batch_decode(*args, **kwargs))

    def post_process_image_text_to_text(
        self, generated_outputs: Any, skip_special_tokens: bool = True, **kwargs: Any
    ) -> list[str]:
        """Texts of what a model generated."""
        return self.batch_decode(generated_outputs, skip_special_tokens=skip_special_tokens, **kwargs)

    def text_side(self) -> Any:
        """The tokenizer.

        Raises:
            ProcessingError: this processor has none.
        """
        tokenizer = self.component("text")
        if tokenizer is None:
            raise ProcessingError(f"{type(self).__name__} has no tokenizer, so it cannot read or write text")
        return tokenizer

    def apply_chat_template(
        self,
        conversation: Sequence[Any],
        chat_template: str | None = None,
        *,
        tokenize: bool = False,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Render a conversation, and with ``tokenize`` run the processor on it and on the media in it.

        Args:
            conversation: messages (``role``, ``content``), or a list of such conversations. Items of a
                content list carry media under their type: ``{"type": "image", "image": picture}``.
            chat_template: replaces the stored template.
            tokenize: False returns text; True the ids.
            return_dict: with ``tokenize``, the whole batch instead of the ids alone.
            **kwargs: ``add_generation_prompt``, ``continue_final_message``, ``tools``, ``documents`` and
                variables of the template; with ``tokenize`` also keywords of the call.
        """
        template = chat_template if chat_template is not None else self.chat_template
        if template is None:
            raise ProcessingError(
                f"{type(self).__name__} has no chat template; pass chat_template=... or save one as "
                "chat_template.jinja next to processor_config.json"
            )
        single = not conversation or isinstance(conversation[0], Mapping)
        batch = [conversation] if single else conversation
        calling = {name: kwargs.pop(name) for name in list(kwargs) if tokenize and self.knows(name)}
        prompts = self.text_side().apply_chat_template(
            batch, chat_template=template, tokenize=False, **kwargs
        )
        if not tokenize:
            return prompts[0] if single else prompts
        media = {kind: [media_of(talk, kind) for talk in batch] for kind in ("image", "video", "audio")}
        names = {"image": "images", "video": "videos", "audio": "audio"}
        inputs = {names[kind]: found for kind, found in media.items() if any(found)}
        if "audio" in inputs:
            inputs["audio"] = [sound for talk in inputs["audio"] for sound in talk]
        bos = getattr(self.text_side(), "bos_token", None)
        if bos is not None and any(prompt.startswith(bos) for prompt in prompts):
            calling.setdefault("add_special_tokens", False)  # the template has written them already
        out = self(text=prompts[0] if single and not inputs else prompts, **inputs, **calling)
        return out if return_dict else out["input_ids"]

    def knows(self, name: str) -> bool:
        """Whether ``name`` is a keyword of a call rather than a variable of a template."""
        if name in {"return_tensors", "common_kwargs", *GROUPS}:
            return True
        sides = {
            "images": IMAGE_KEYWORDS,
            "videos": VIDEO_KEYWORDS,
            "audio": AUDIO_KEYWORDS,
            "text": TEXT_KEYWORDS,
        }
        return any(
            self.component(kind) is not None and name in names | self.keywords_of(kind)
            for kind, names in sides.items()
        )
