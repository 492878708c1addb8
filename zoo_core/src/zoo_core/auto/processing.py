"""`AutoProcessor`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from zoo_core import registry
from zoo_core.auto import remote_code, resolve
from zoo_core.auto.base import AutoClass, Path
from zoo_core.auto.processors import (
    PREPROCESSOR_CONFIG,
    VIDEO_PREPROCESSOR_CONFIG,
    AutoFeatureExtractor,
    AutoImageProcessor,
    values_of,
)
from zoo_core.auto.source import CONFIG_NAME, Source, class_name_in, given_config, model_type_of
from zoo_core.auto.tokenizers import TOKENIZER_CONFIG, AutoTokenizer
from zoo_core.errors import FileNotInRepository, UnknownArchitecture, UnknownComponent

if TYPE_CHECKING:
    from zoo_core.processing import ProcessorMixin

_FILES = (
    "processor_config.json",
    PREPROCESSOR_CONFIG,
    VIDEO_PREPROCESSOR_CONFIG,
    TOKENIZER_CONFIG,
    CONFIG_NAME,
)
"""Where ``processor_class`` is looked for, in this order."""


class AutoProcessor(AutoClass):
    """The processor of any model: tokenizer, image processor and others in one object."""

    @overload
    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Path, *, return_unused_kwargs: Literal[True], **kwargs: Any
    ) -> tuple[ProcessorMixin, dict[str, Any]]: ...
    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Path,
        *,
        return_unused_kwargs: Literal[False] = False,
        **kwargs: Any,
    ) -> ProcessorMixin: ...
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Path, **kwargs: Any) -> Any:
        """The processor of a checkpoint, or where it has none its tokenizer or other preprocessor.

        Args:
            pretrained_model_name_or_path: id on the hub, or folder written by ``save_pretrained``.
            config: a model configuration that decides the class where no file names one.
            cache_dir, force_download, proxies, revision, token, local_files_only, subfolder: where and how
                to look; ``resume_download`` and ``use_auth_token`` are deprecated.
            return_unused_kwargs: return ``(object, unused)``, the second being the keywords that name no
                setting; otherwise these are dropped.
            trust_remote_code: allow a class that the repository's code defines; it runs in a sandbox.
            kwargs: names of settings override the files' values.

        Raises:
            UnknownArchitecture: neither the files nor the model's type say how inputs are processed.
            UntrustedCode: the class needs the repository's code and the caller has not trusted it.
        """
        source = Source.pop_from(pretrained_model_name_or_path, kwargs)
        config = given_config(kwargs.pop("config", None))
        found, unknown = cls._find(source, config)
        located = {**source.hub_keywords(), **kwargs}
        if source.context.trust_remote_code:
            located["trust_remote_code"] = True
        if found is not None:
            return found.from_pretrained(pretrained_model_name_or_path, **located)
        return cls._part(source, pretrained_model_name_or_path, located, unknown)

    @classmethod
    def _find(cls, source: Source, config: Any) -> tuple[type[Any] | None, list[str]]:
        """The processor's class, and the names that no package knows."""
        files: dict[str, Mapping[str, Any]] = {name: source.json(name) for name in _FILES}
        if config is not None:
            files[CONFIG_NAME] = values_of(config)
        model_type = model_type_of(files[CONFIG_NAME])
        package = resolve.distribution_of(model_type)
        named = [
            class_name_in(values, "processor_class", file=f"{name} of {source.name}")
            for name, values in files.items()
        ]
        found, unknown = resolve.first_known(named, lambda name: registry.component(name, package=package))
        codes = (
            remote_code.code_for(cls.__name__, values, source, file=name) for name, values in files.items()
        )
        code = next((code for code in codes if code is not None), None)
        if found is None and model_type is not None and model_type in registry.names():
            kind = None if config is None else type(config)
            found = resolve.component_class(cls.__name__, model_type, config_class=kind)
        if code is not None and remote_code.wanted(code, native=found is not None, source=source):
            return remote_code.remote_class(cls.__name__, code, source), unknown
        return found, unknown

    @classmethod
    def _part(cls, source: Source, name_or_path: Path, kwargs: dict[str, Any], unknown: list[str]) -> Any:
        """The checkpoint's tokenizer, image processor or feature extractor."""
        wants_unused = kwargs.pop("return_unused_kwargs", False)
        found = {"return_unused_kwargs": True, **kwargs}
        loads: dict[str, Callable[[], Any]] = {
            "AutoTokenizer": lambda: (AutoTokenizer.from_pretrained(name_or_path, **kwargs), {}),
            "AutoImageProcessor": lambda: AutoImageProcessor.from_pretrained(name_or_path, **found),
            "AutoFeatureExtractor": lambda: AutoFeatureExtractor.from_pretrained(name_or_path, **found),
        }
        reasons = []
        for auto, load in loads.items():
            try:
                made, unused = load()
            except (FileNotInRepository, UnknownArchitecture, UnknownComponent) as error:
                reasons.append(f"\n  {auto}: {error}")
                continue
            if unknown:
                warnings.warn(
                    f"{source.name} names the processor class {unknown[0]}, which no installed package "
                    f"provides; its {type(made).__name__} is returned.",
                    stacklevel=3,
                )
            return (made, unused) if wants_unused else made
        named = f" It names {unknown[0]}, which no installed package provides." if unknown else ""
        raise UnknownArchitecture(
            f"Unrecognized processing class in {source.name}: no file names a processor that is installed, "
            f"and it has no tokenizer, image processor or feature extractor either.{named}{''.join(reasons)}"
        )

    @classmethod
    def register(cls, config_class: type[Any], processor_class: type[Any], exist_ok: bool = False) -> None:
        """Let ``AutoProcessor`` answer this class for configurations of class ``config_class``."""
        registry.register_class(cls.__name__, config_class, processor_class, exist_ok=exist_ok)
