"""`AutoFeatureExtractor`, `AutoImageProcessor` and `AutoVideoProcessor`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, overload

from zoo_core import registry
from zoo_core.auto import remote_code, resolve
from zoo_core.auto.base import AutoClass, Path
from zoo_core.auto.source import CONFIG_NAME, Source, class_name_in, given_config, is_timm, model_type_of
from zoo_core.errors import FileNotInRepository, UnknownArchitecture

if TYPE_CHECKING:
    pass

if TYPE_CHECKING:
    from zoo_core.processing import FeatureExtractionMixin, ImageProcessingMixin, VideoProcessingMixin
else:  # subscripts of base classes are evaluated
    FeatureExtractionMixin = ImageProcessingMixin = VideoProcessingMixin = Any

PREPROCESSOR_CONFIG = "preprocessor_config.json"
VIDEO_PREPROCESSOR_CONFIG = "video_preprocessor_config.json"

ProcessorT = TypeVar("ProcessorT")


class AutoPreprocessorClass(AutoClass, Generic[ProcessorT]):
    """What the Auto classes of settings files share: the file names the class, or the model's type does."""

    _files: ClassVar[tuple[str, ...]] = (PREPROCESSOR_CONFIG,)
    _section: ClassVar[str]
    _type_key: ClassVar[str]
    _older: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Another key whose class name, with one part replaced, names the class: key -> (part, replacement)."""

    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Path,
        *inputs: Any,
        return_unused_kwargs: Literal[True],
        **kwargs: Any,
    ) -> tuple[ProcessorT, dict[str, Any]]: ...
    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Path,
        *inputs: Any,
        return_unused_kwargs: Literal[False] = False,
        **kwargs: Any,
    ) -> ProcessorT: ...
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Path, *inputs: Any, **kwargs: Any) -> Any:
        """The preprocessor whose settings a checkpoint has.

        Args:
            pretrained_model_name_or_path: id on the hub, folder written by ``save_pretrained``, or path or
                URL of a JSON file such as preprocessor_config.json.
            inputs: accepted and without effect.
            config: a model configuration that decides the class where the settings name none.
            use_fast: of image processors: True or False chooses the variant; None is that of the file.
            image_processor_filename: of image processors: another name of the settings file.
            cache_dir, force_download, proxies, revision, token, local_files_only, subfolder: where and how
                to look; ``resume_download`` and ``use_auth_token`` are deprecated.
            return_unused_kwargs: return ``(object, unused)``, the second being the keywords that name no
                setting; otherwise these are dropped.
            trust_remote_code: allow a class that the repository's code defines; it runs in a sandbox.
            kwargs: names of settings override the file's values.

        Raises:
            UnknownArchitecture: neither the settings nor the model's type say which class this is.
            UntrustedCode: the class needs the repository's code and the caller has not trusted it.
        """
        source = Source.pop_from(pretrained_model_name_or_path, kwargs)
        filename = kwargs.pop(f"{cls._section}_filename", None)
        use_fast = kwargs.pop("use_fast", None)
        config = given_config(kwargs.pop("config", None))
        settings = source.settings((filename,) if filename else cls._files, section=cls._section)
        if not settings and is_timm(values := source.json(CONFIG_NAME)):
            settings = values  # timm keeps what images need with the model
        found = cls._find(source, settings, config, use_fast)
        if not settings:
            raise FileNotInRepository(
                f"{source.name} has no {' or '.join(cls._files)}, which {found.__name__} is read from. "
                f"{found.__name__}() makes one with default settings."
            )
        return found.from_dict(settings, **kwargs)

    @classmethod
    def _find(
        cls, source: Source, settings: Mapping[str, Any], config: Any, use_fast: bool | None
    ) -> type[Any]:
        auto_class = cls.__name__
        values = source.json(CONFIG_NAME) if config is None else values_of(config)
        model_type = model_type_of(values)
        package = resolve.distribution_of(model_type)
        named = cls._named(settings, f"{cls._files[0]} of {source.name}")
        names = [*named, *cls._named(values, f"{CONFIG_NAME} of {source.name}")]
        if use_fast is not None:
            names = [_variant(name, fast=use_fast) for name in names]
        found, unknown = resolve.first_known(names, lambda name: registry.component(name, package=package))
        code = remote_code.code_for(auto_class, settings, source, file=cls._files[0]) or remote_code.code_for(
            auto_class, values, source, file=CONFIG_NAME
        )
        if found is None and model_type is not None and model_type in registry.names():
            slots = ("slow", "fast") if use_fast is False else ("fast", "slow", "default")
            kind = None if config is None else type(config)
            found = resolve.component_class(
                auto_class, model_type, config_class=kind, slots=(*slots, "default")
            )
        if code is not None and remote_code.wanted(code, native=found is not None, source=source):
            return remote_code.remote_class(auto_class, code, source)
        if found is None and not names and model_type is None and settings:
            matched = registry.match_name(source.name)
            found = None if matched is None else resolve.component_class(auto_class, matched)
        if found is None:
            raise cls._unrecognized(source, settings, unknown, model_type)
        if unknown:
            warnings.warn(
                f"{source.name} names the class {unknown[0]}, which no installed package provides; "
                f"{found.__name__} is used, as for the model type {model_type!r}.",
                stacklevel=3,
            )
        return found

    @classmethod
    def _named(cls, values: Mapping[str, Any], file: str) -> list[str]:
        """The class names that ``values`` gives, the plain key's first."""
        names = [class_name_in(values, cls._type_key, file=file)]
        for key, (part, replacement) in cls._older.items():
            if (name := class_name_in(values, key, file=file)) and part in name:
                names.append(name.replace(part, replacement))
        return [name for name in names if name][:1]

    @classmethod
    def _unrecognized(
        cls, source: Source, settings: Mapping[str, Any], unknown: list[str], model_type: str | None
    ) -> Exception:
        kind = cls._section.replace("_", " ")
        if unknown:
            try:
                registry.component(unknown[0])
            except ValueError as error:
                return error
        if not settings:
            return FileNotInRepository(
                f"Can't load a {kind} for {source.name}: it has no {' or '.join(cls._files)}. Check that "
                f"the name is right and that the checkpoint has a {kind}."
            )
        seen = "there is none" if model_type is None else f"{model_type!r} has no {kind} installed"
        return UnknownArchitecture(
            f"Unrecognized {kind} in {source.name}: its {cls._files[0]} has no {cls._type_key}, and the "
            f'model_type of its {CONFIG_NAME} does not say either: {seen}. Add "{cls._type_key}" to the '
            f"file, or load with the class itself."
        )

    @classmethod
    def _register(cls, config_class: type[Any], given: type[Any], *, slot: str, exist_ok: bool) -> None:
        registry.register_class(cls.__name__, config_class, given, slot=slot, exist_ok=exist_ok)


class AutoFeatureExtractor(AutoPreprocessorClass[FeatureExtractionMixin]):
    """The feature extractor of any model: sound to arrays."""

    _section = "feature_extractor"
    _type_key = "feature_extractor_type"

    @classmethod
    def register(
        cls, config_class: type[Any], feature_extractor_class: type[Any], exist_ok: bool = False
    ) -> None:
        """Let ``AutoFeatureExtractor`` answer this class for configurations of class ``config_class``."""
        cls._register(config_class, feature_extractor_class, slot="default", exist_ok=exist_ok)


class AutoImageProcessor(AutoPreprocessorClass[ImageProcessingMixin]):
    """The image processor of any model."""

    _section = "image_processor"
    _type_key = "image_processor_type"
    _older = {"feature_extractor_type": ("FeatureExtractor", "ImageProcessor")}

    @classmethod
    def register(
        cls,
        config_class: type[Any],
        image_processor_class: type[Any] | None = None,
        slow_image_processor_class: type[Any] | None = None,
        fast_image_processor_class: type[Any] | None = None,
        exist_ok: bool = False,
    ) -> None:
        """Let ``AutoImageProcessor`` answer these classes for configurations of class ``config_class``.

        ``image_processor_class`` is deprecated and means ``slow_image_processor_class``. Registering one of
        the two later keeps the other.
        """
        if image_processor_class is not None:
            if slow_image_processor_class is not None:
                raise ValueError(
                    "image_processor_class and slow_image_processor_class are one: pass the latter alone"
                )
            warnings.warn(
                "image_processor_class is deprecated: pass slow_image_processor_class or "
                "fast_image_processor_class",
                FutureWarning,
                stacklevel=2,
            )
            slow_image_processor_class = image_processor_class
        if slow_image_processor_class is None and fast_image_processor_class is None:
            raise ValueError(
                "AutoImageProcessor.register needs slow_image_processor_class or fast_image_processor_class"
            )
        for slot, given in (("slow", slow_image_processor_class), ("fast", fast_image_processor_class)):
            if given is not None:
                cls._register(config_class, given, slot=slot, exist_ok=exist_ok)


class AutoVideoProcessor(AutoPreprocessorClass[VideoProcessingMixin]):
    """The video processor of any model."""

    _files = (VIDEO_PREPROCESSOR_CONFIG, PREPROCESSOR_CONFIG)
    _section = "video_processor"
    _type_key = "video_processor_type"
    _older = {"image_processor_type": ("ImageProcessor", "VideoProcessor")}

    @classmethod
    def register(
        cls, config_class: type[Any], video_processor_class: type[Any], exist_ok: bool = False
    ) -> None:
        """Let ``AutoVideoProcessor`` answer this class for configurations of class ``config_class``."""
        cls._register(config_class, video_processor_class, slot="default", exist_ok=exist_ok)


def _variant(name: str, *, fast: bool) -> str:
    """The name of the fast or the slow variant of a class."""
    stem = name.removesuffix("Fast")
    return f"{stem}Fast" if fast else stem


def values_of(config: Any) -> dict[str, Any]:
    """What the search needs of a model configuration that the caller gave."""
    names = (
        "auto_map",
        "feature_extractor_type",
        "image_processor_type",
        "video_processor_type",
        "processor_class",
    )
    model_type = type(config).model_type or getattr(config, "model_type", None)
    return {"model_type": model_type, **{name: getattr(config, name, None) for name in names}}
