"""What the Auto classes of models share."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, overload

from zoo_core import registry
from zoo_core.auto import remote_code, resolve
from zoo_core.auto.base import AutoClass, Path
from zoo_core.auto.configuration import AutoConfig
from zoo_core.auto.source import CONFIG_NAME, Source
from zoo_core.remote.trust import LoadContext

if TYPE_CHECKING:
    from zoo_core.config import PretrainedConfig
    from zoo_core.modeling import PreTrainedModel

ModelT = TypeVar("ModelT")

_ALSO_CONFIG_FIELDS = ("dtype", "torch_dtype", "attn_implementation", "quantization_config")
"""Keywords of the model's loading that are config attributes too: they go to the model."""


class AutoModelClass(AutoClass, Generic[ModelT]):
    """Base of the Auto classes of models, also for one of your own::

        class AutoModelForCounting(AutoModelClass["PreTrainedModel"]):
            '''Models with a counting head.'''

    Packages serve it by naming ``"AutoModelForCounting"`` in the ``models`` of their records.
    """

    _ways = ("from_pretrained(pretrained_model_name_or_path)", "from_config(config)")
    _kind = "model"
    _deprecated: ClassVar[str] = ""

    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Path | None,
        *model_args: Any,
        output_loading_info: Literal[True],
        **kwargs: Any,
    ) -> tuple[ModelT, dict[str, Any]]: ...
    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Path | None,
        *model_args: Any,
        output_loading_info: Literal[False] = False,
        **kwargs: Any,
    ) -> ModelT: ...
    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Path | None, *model_args: Any, **kwargs: Any
    ) -> Any:
        """Load a checkpoint; the model is returned in evaluation mode (call ``train()`` to train it).

        Args:
            pretrained_model_name_or_path: id on the hub, folder written by ``save_pretrained``, or path or
                URL of a TensorFlow checkpoint's index (with ``from_tf=True`` and ``config``).
            model_args: passed to the model's ``__init__``.
            config: used instead of the checkpoint's own configuration. All remaining keywords then go to
                the model's ``__init__``; without it those that name attributes of the configuration
                override them first, and the rest goes to ``__init__``.
            state_dict: weights used instead of the checkpoint's.
            from_tf: read a TensorFlow checkpoint. ``from_flax``: a Flax one.
            dtype: of the weights: a ``torch.dtype``, its name, or "auto" for that of the checkpoint.
            attn_implementation: "eager", "sdpa", "flash_attention_2" or "flex_attention".
            load_in_8bit, load_in_4bit, quantization_config: linear layers in 8 or 4 bits, see
                ``zoo_core.BitsAndBytesConfig``; needs bitsandbytes.
            output_loading_info: return ``(model, info)`` with ``missing_keys``, ``unexpected_keys``,
                ``mismatched_keys`` and ``error_msgs``.
            cache_dir, force_download, proxies, revision, token, local_files_only, subfolder: where and how
                to look; ``resume_download`` and ``use_auth_token`` are deprecated.
            trust_remote_code: allow classes that the repository's code defines; they run in a sandbox.
                ``code_revision`` pins that code where it lies in another repository.

        Raises:
            UnknownArchitecture: no installed package serves this type of model here.
            UntrustedCode: the architecture needs the repository's code and the caller has not trusted it.
            HubError, CheckpointError, ConfigError: files that cannot be had, or are not what they should be.
        """
        cls._warn_if_deprecated()
        config = kwargs.pop("config", None)
        if pretrained_model_name_or_path is None:
            return cls._without_files(config, model_args, kwargs)
        source = Source.pop_from(pretrained_model_name_or_path, kwargs)
        if isinstance(config, str | os.PathLike):
            config = AutoConfig.from_pretrained(config)
        elif config is None:
            config, kwargs = cls._load_config(source, kwargs)
        model_class = cls._model_class(config, source)
        return model_class.from_pretrained(
            pretrained_model_name_or_path,
            *model_args,
            config=_config_of(model_class, config),
            **_where(model_class, source),
            **kwargs,
        )

    @classmethod
    def from_config(cls, config: PretrainedConfig, **kwargs: Any) -> ModelT:
        """A model with random weights, in training mode; no file is read.

        Args:
            config: its class decides the model's.
            attn_implementation: "eager", "sdpa", "flash_attention_2" or "flex_attention"; by default sdpa
                where the model has it.
            dtype: of the weights; float32 unless given.
            kwargs: passed to the model's ``__init__``.
        """
        cls._warn_if_deprecated()
        context = LoadContext.pop_from(kwargs)
        name = getattr(config, "name_or_path", "")
        source = Source.pop_from(name, {}) if context.trust_remote_code and name else None
        if source is not None:
            source.context = context
        model_class = cls._model_class(config, source)
        model: ModelT = model_class._from_config(_config_of(model_class, config), **kwargs)
        return model

    @classmethod
    def register(cls, config_class: type[Any], model_class: type[Any], exist_ok: bool = False) -> None:
        """Let this Auto class build ``model_class`` for configurations of class ``config_class``.

        Raises ``ValueError`` when the model's ``config_class`` is another class, or when an installed
        package serves the configuration here and ``exist_ok`` is false.
        """
        registry.register_class(cls.__name__, config_class, model_class, exist_ok=exist_ok)

    @classmethod
    def _load_config(cls, source: Source, kwargs: dict[str, Any]) -> tuple[PretrainedConfig, dict[str, Any]]:
        """The checkpoint's configuration with overrides, and the keywords that are for the model."""
        kept = {name: kwargs.pop(name) for name in _ALSO_CONFIG_FIELDS if name in kwargs}
        config, unused = AutoConfig.from_pretrained(
            source.name,
            return_unused_kwargs=True,
            _repository=source.repository,
            **_as_keywords(source.context),
            **kwargs,
        )
        return config, {**unused, **kept}

    @classmethod
    def _without_files(cls, config: Any, model_args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if config is None or kwargs.get("state_dict") is None:
            raise ValueError(
                f"{cls.__name__}.from_pretrained(None) has nothing to load: give a name or folder, or both "
                f"config= and state_dict="
            )
        model_class = cls._model_class(config, None)
        return model_class.from_pretrained(
            None, *model_args, config=_config_of(model_class, config), **kwargs
        )

    @classmethod
    def _model_class(cls, config: Any, source: Source | None) -> Any:
        values = {"auto_map": getattr(config, "auto_map", None)}
        if source is not None and values["auto_map"] is not None:
            code = remote_code.code_for(cls.__name__, values, source, file=CONFIG_NAME)
            native = getattr(config, "model_type", None) in registry.names()
            if code is not None and remote_code.wanted(code, native=native, source=source):
                return remote_code.remote_class(cls.__name__, code, source)
        return resolve.model_class(cls.__name__, config)

    @classmethod
    def _warn_if_deprecated(cls) -> None:
        if cls._deprecated:
            warnings.warn(f"{cls.__name__} is deprecated. {cls._deprecated}", FutureWarning, stacklevel=3)


def auto_model_class(name: str, *, head: str) -> type[AutoModelClass[PreTrainedModel]]:
    """An Auto class called ``name`` for models with the ``head`` that is described, such as "counting"."""
    return type(name, (AutoModelClass,), {"__doc__": f"Models with a {head} head.", "__module__": __name__})


def _config_of(model_class: Any, config: Any) -> Any:
    """``config``, or its text part when ``model_class`` is the text model of a composite."""
    wanted = getattr(model_class, "config_class", None)
    part = getattr(config, "sub_configs", {}).get("text_config")
    if (
        isinstance(wanted, type)
        and part is not None
        and type(part) is wanted
        and not isinstance(config, wanted)
    ):
        return config.get_text_config()
    return config


def _where(model_class: Any, source: Source) -> dict[str, Any]:
    """The files of this load, as ``model_class`` takes them."""
    from zoo_core.modeling import PreTrainedModel

    if issubclass(model_class, PreTrainedModel):
        return {"_repository": source.repository}
    return source.hub_keywords()


def _as_keywords(context: LoadContext) -> dict[str, Any]:
    return {
        "trust_remote_code": context.trust_remote_code,
        "sandbox": context.sandbox,
        "code_revision": context.code_revision,
        "prefer_remote_code": context.prefer_remote_code,
    }
