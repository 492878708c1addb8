"""`AutoConfig`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from zoo_core import registry
from zoo_core.auto import remote_code
from zoo_core.auto.base import AutoClass, Path
from zoo_core.auto.source import CONFIG_NAME, Source, model_type_of
from zoo_core.config import config_class_for
from zoo_core.config.loading import Found, from_found, read_config
from zoo_core.errors import UnknownArchitecture

if TYPE_CHECKING:
    from zoo_core.config import PretrainedConfig


class AutoConfig(AutoClass):
    """The configuration of any model."""

    @overload
    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Path, *, return_unused_kwargs: Literal[True], **kwargs: Any
    ) -> tuple[PretrainedConfig, dict[str, Any]]: ...
    @overload
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Path,
        *,
        return_unused_kwargs: Literal[False] = False,
        **kwargs: Any,
    ) -> PretrainedConfig: ...
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Path, **kwargs: Any) -> Any:
        """The configuration in config.json, as the class that its ``model_type`` says.

        Args:
            pretrained_model_name_or_path: id on the hub, folder with a config.json, or path or URL of a
                JSON file.
            cache_dir, force_download, proxies, revision, token, local_files_only, subfolder: where and how
                to look; ``resume_download`` and ``use_auth_token`` are deprecated.
            return_unused_kwargs: return ``(config, unused)``, the second being the keywords that name no
                attribute; otherwise these are dropped.
            trust_remote_code: allow a configuration class that the repository's code defines; it runs in
                a sandbox. ``code_revision`` pins that code where it lies in another repository.
            kwargs: names of attributes override the file's values.

        Raises:
            UnknownArchitecture: no installed package provides the ``model_type``, or there is none and the
                path contains no known one.
            UntrustedCode: the architecture needs the repository's code and the caller has not trusted it.
            ConfigError: wrong types or impossible values.
        """
        source = Source.pop_from(pretrained_model_name_or_path, kwargs)
        kwargs["_repository"] = source.repository
        found = read_config(pretrained_model_name_or_path, kwargs)
        return from_found(cls._class_for(found, source), found, kwargs)

    @classmethod
    def _class_for(cls, found: Found, source: Source) -> type[PretrainedConfig]:
        values = found.values
        model_type = _effective_type(values)
        native = model_type is not None and model_type in registry.names()
        code = remote_code.code_for("AutoConfig", values, source, file=CONFIG_NAME)
        if code is not None and remote_code.wanted(code, native=native, source=source):
            return remote_code.remote_class("AutoConfig", code, source)
        if model_type is None:
            model_type = registry.match_name(source.name)
        if model_type is None:
            raise UnknownArchitecture(
                f"Unrecognized model in {source.name}: {found.source} has no model_type, and the path "
                f'contains no known one. Add "model_type": "..." to the file, or load with the class itself, '
                f"for example BertConfig.from_pretrained({source.name!r}); `zoo list` shows the known types."
            )
        return config_class_for(model_type)

    @classmethod
    def for_model(cls, model_type: str, *args: Any, **kwargs: Any) -> PretrainedConfig:
        """A configuration of ``model_type`` made from keywords."""
        return config_class_for(model_type)(*args, **kwargs)

    @staticmethod
    def register(model_type: str, config: type[Any], exist_ok: bool = False) -> None:
        """Let ``AutoConfig`` answer ``config``, a PretrainedConfig class, for ``model_type``.

        Raises ``ValueError`` when the class names another ``model_type``, or when an installed package
        provides the type and ``exist_ok`` is false.
        """
        registry.register_config(model_type, config, exist_ok=exist_ok)


def _effective_type(values: dict[str, Any]) -> str | None:
    """``model_type``, less a spelling of files that mean another one."""
    model_type = model_type_of(values)
    if model_type == "mistral" and values.get("layer_types") is not None and "ministral" in registry.names():
        return "ministral"
    return model_type
