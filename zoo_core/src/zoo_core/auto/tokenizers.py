"""`AutoTokenizer`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo_core import registry
from zoo_core.auto import remote_code, resolve
from zoo_core.auto.base import AutoClass, Path
from zoo_core.auto.source import CONFIG_NAME, Source, class_name_in, given_config, model_type_of
from zoo_core.config import PretrainedConfig
from zoo_core.errors import UnknownArchitecture, UnknownComponent

if TYPE_CHECKING:
    from zoo_core.tokenization import PreTrainedTokenizerBase

TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZER_FILE = "tokenizer.json"
GENERIC = "PreTrainedTokenizerFast"


class AutoTokenizer(AutoClass):
    """The tokenizer of any model."""

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Path, *inputs: Any, **kwargs: Any
    ) -> PreTrainedTokenizerBase:
        """The tokenizer of a checkpoint.

        Its class is that of ``tokenizer_type``, else the one that tokenizer_config.json or config.json
        names, else the one of the model's type. A tokenizer.json whose class nobody provides is served by
        the generic class.

        Args:
            pretrained_model_name_or_path: id on the hub, folder with the vocabulary files, or path or URL
                of one vocabulary file for tokenizers that need only one.
            inputs: passed to the tokenizer's ``__init__``.
            config: a configuration that decides the class instead of the checkpoint's own.
            tokenizer_type: key of the tokenizer to use, such as "bert".
            use_fast: False prefers a class registered as slow; installed packages have one class for both.
            cache_dir, force_download, proxies, revision, token, local_files_only, subfolder: where and how
                to look; ``resume_download`` and ``use_auth_token`` are deprecated.
            trust_remote_code: allow a class that the repository's code defines; it runs in a sandbox.
            kwargs: passed to the tokenizer's ``__init__``, for example special tokens.

        Raises:
            UnknownComponent: nothing says which tokenizer this is, or the ``tokenizer_type`` is unknown.
            UntrustedCode: the tokenizer needs the repository's code and the caller has not trusted it.
        """
        source = Source.pop_from(pretrained_model_name_or_path, kwargs)
        use_fast = bool(kwargs.pop("use_fast", True))
        config = given_config(kwargs.pop("config", None))
        tokenizer_type = kwargs.pop("tokenizer_type", None)
        finder = _Finder(cls.__name__, source, config, use_fast)
        found = finder.find() if tokenizer_type is None else finder.of_type(tokenizer_type)
        result: PreTrainedTokenizerBase = found.from_pretrained(
            pretrained_model_name_or_path, *inputs, **source.hub_keywords(), **kwargs
        )
        return result

    @classmethod
    def register(
        cls,
        config_class: type[Any],
        slow_tokenizer_class: type[Any] | None = None,
        fast_tokenizer_class: type[Any] | None = None,
        exist_ok: bool = False,
    ) -> None:
        """Let ``AutoTokenizer`` answer these classes for configurations of class ``config_class``.

        Registering one of the two later keeps the other. Raises ``ValueError`` when neither is given, when
        one stands in the other's place, when the fast class names another ``slow_tokenizer_class``, or
        when an installed package serves the configuration and ``exist_ok`` is false.
        """
        if slow_tokenizer_class is None and fast_tokenizer_class is None:
            raise ValueError("AutoTokenizer.register needs a slow_tokenizer_class or a fast_tokenizer_class")
        _check_slots(slow_tokenizer_class, fast_tokenizer_class)
        for slot, given in (("slow", slow_tokenizer_class), ("fast", fast_tokenizer_class)):
            if given is not None:
                registry.register_class(cls.__name__, config_class, given, slot=slot, exist_ok=exist_ok)


class _Finder:
    """Decides the class of one tokenizer."""

    def __init__(self, auto_class: str, source: Source, config: Any, use_fast: bool) -> None:
        self.auto_class = auto_class
        self.source = source
        self.config = config
        self.slots = ("fast", "slow") if use_fast else ("slow", "fast")
        self.use_fast = use_fast

    def of_type(self, tokenizer_type: str) -> type[Any]:
        """The class of an explicit ``tokenizer_type``: a model type, or a tokenizer's own key."""
        try:
            found = resolve.component_class(self.auto_class, tokenizer_type, slots=self.slots)
        except UnknownArchitecture:
            wanted = _letters(tokenizer_type) + "tokenizer"
            names = [name for name in registry.component_names() if _letters(name) == wanted]
            found = registry.component(names[0]) if names else None
        if found is None:
            close = ", ".join(map(repr, registry.closest(tokenizer_type))) or "none"
            raise UnknownComponent(
                f"tokenizer_type={tokenizer_type!r} does not exist: no installed package provides a "
                f"tokenizer under this key. Closest known model types: {close}. `zoo list` shows all."
            )
        return found

    def find(self) -> type[Any]:
        """The class that the files say; `UnknownComponent` when they say nothing that is known."""
        own = self.source.json(TOKENIZER_CONFIG)
        values = self._config_values()
        model_type = model_type_of(values)
        package = resolve.distribution_of(model_type)
        names = [
            class_name_in(own, "tokenizer_class", file=f"{TOKENIZER_CONFIG} of {self.source.name}"),
            class_name_in(values, "tokenizer_class", file=f"{CONFIG_NAME} of {self.source.name}"),
        ]
        found, unknown = resolve.first_known(names, lambda name: registry.component(name, package=package))
        if found is None and model_type is not None and model_type in registry.names():
            found = self._of_model(values, model_type)
        native = found is not None and not unknown
        code = self._code(own, TOKENIZER_CONFIG) or self._code(values, CONFIG_NAME)
        if code is not None and remote_code.wanted(code, native=native, source=self.source):
            return remote_code.remote_class(self.auto_class, code, self.source)
        if found is not None and native:
            return found
        if self._has_tokenizer_file():
            if unknown:
                warnings.warn(
                    f"{self.source.name} names the tokenizer class {unknown[0]}, which no installed package "
                    f"provides; its {TOKENIZER_FILE} is loaded all the same.",
                    stacklevel=3,
                )
            return found or registry.component(GENERIC)
        if unknown:
            return registry.component(unknown[0])  # raises, with all that can be said about the name
        return self._by_path(model_type)

    def _has_tokenizer_file(self) -> bool:
        single = self.source.repository.single_file
        return (
            single.name == TOKENIZER_FILE
            if single
            else self.source.repository.find(TOKENIZER_FILE) is not None
        )

    def _by_path(self, model_type: str | None) -> type[Any]:
        """The tokenizer of the type whose name the path contains, for files without a ``model_type``."""
        if model_type is not None:
            registry.get(model_type)  # raises for a type that nobody provides
        matched = registry.match_name(self.source.name) if model_type is None else None
        found = matched and resolve.component_class(self.auto_class, matched, slots=self.slots)
        if not found:
            lacks = (
                "no model_type" if model_type is None else f"no tokenizer for the model type {model_type!r}"
            )
            raise UnknownComponent(
                f"{self.source.name} does not say which tokenizer it has: there is no {TOKENIZER_FILE}, no "
                f"tokenizer_class in {TOKENIZER_CONFIG} or {CONFIG_NAME}, and {lacks}. Pass the type as in "
                f'tokenizer_type="bert", or load with the class itself.'
            )
        return found

    def _config_values(self) -> Mapping[str, Any]:
        if self.config is None:
            return self.source.json(CONFIG_NAME)
        values = {"model_type": type(self.config).model_type or getattr(self.config, "model_type", None)}
        for name in ("tokenizer_class", "auto_map", "encoder", "decoder"):
            value = getattr(self.config, name, None)
            values[name] = value.to_dict() if isinstance(value, PretrainedConfig) else value
        return values

    def _of_model(self, values: Mapping[str, Any], model_type: str) -> type[Any] | None:
        """The tokenizer of the model's type, or of its encoder's."""
        kind = None if self.config is None else type(self.config)
        found = resolve.component_class(self.auto_class, model_type, config_class=kind, slots=self.slots)
        encoder, decoder = values.get("encoder"), values.get("decoder")
        if found is not None or not isinstance(encoder, Mapping):
            return found
        encoder_type = model_type_of(encoder)
        if encoder_type is None:
            return None
        if isinstance(decoder, Mapping) and model_type_of(decoder) != encoder_type:
            warnings.warn(
                f"The encoder of {self.source.name} is of type {encoder_type!r} and its decoder of type "
                f"{model_type_of(decoder)!r}; the encoder's tokenizer is used. The decoder's own class loads "
                f"the other.",
                stacklevel=4,
            )
        return resolve.component_class(self.auto_class, encoder_type, slots=self.slots)

    def _code(self, values: Mapping[str, Any], file: str) -> Any:
        return remote_code.code_for(self.auto_class, values, self.source, file=file, use_fast=self.use_fast)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _check_slots(slow: type[Any] | None, fast: type[Any] | None) -> None:
    from zoo_core.tokenization import PreTrainedTokenizerFast

    if slow is not None and issubclass(slow, PreTrainedTokenizerFast):
        raise ValueError(
            f"{slow.__name__} is a fast tokenizer and was passed as slow_tokenizer_class; pass it as "
            f"fast_tokenizer_class={slow.__name__}"
        )
    if fast is not None and not issubclass(fast, PreTrainedTokenizerFast):
        raise ValueError(
            f"{fast.__name__} is a slow tokenizer and was passed as fast_tokenizer_class; pass it as "
            f"slow_tokenizer_class={fast.__name__}"
        )
    declared = getattr(fast, "slow_tokenizer_class", None)
    if slow is not None and declared is not None and declared is not slow:
        raise ValueError(
            f"The fast tokenizer names {declared.__name__} as its slow_tokenizer_class, which is not "
            f"consistent with {slow.__name__}; pass the one that it names"
        )
