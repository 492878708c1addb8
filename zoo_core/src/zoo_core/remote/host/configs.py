"""Configs whose class is code of a repository: computed in a worker, kept here as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from zoo_core.config import PretrainedConfig
from zoo_core.errors import SandboxError
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.host.process import Worker
from zoo_core.remote.trust import LoadContext, SandboxPolicy, authority_free
from zoo_core.remote.wire.codec import Decoder, Encoder


class SandboxedConfig(PretrainedConfig):
    """The attributes that a repository's config class computed. Its methods stay in the sandbox."""

    heads_divide_width: ClassVar[bool] = False
    _code: ClassVar[RemoteCode]
    _policy: ClassVar[SandboxPolicy]

    def __init__(self, **kwargs: Any) -> None:
        computed = compute(type(self)._code, type(self)._policy, kwargs)
        super().__init__(**{name: _part(value) for name, value in computed.items()})


def _part(value: Any) -> Any:
    """A nested config, which the sandbox gives as a mapping, as a config."""
    if isinstance(value, dict) and isinstance(value.get("model_type"), str):
        return PretrainedConfig(**{key: _part(item) for key, item in value.items()})
    return value


def config_class(code: RemoteCode, context: LoadContext, model_type: str | None) -> type[SandboxedConfig]:
    """A config class that stands for ``code``."""
    body = {"_code": code, "_policy": context.policy, "model_type": model_type or "", "__doc__": None}
    made: type[SandboxedConfig] = type(code.reference.class_name, (SandboxedConfig,), body)
    return made


def compute(code: RemoteCode, policy: SandboxPolicy, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the config class behind ``code`` makes of ``values``, as plain data without authority."""
    worker = Worker(policy)
    try:
        worker.ask("import", **code.request())
        value = Encoder(worker.inbox).encode(dict(values))
        answer = worker.ask("config", **{"class": code.where, "value": value})
        found = Decoder(worker.outbox, kept=_nothing_kept).decode(answer.get("value"))
        aliases = Decoder(worker.outbox, kept=_nothing_kept).decode(answer.get("attribute_map"))
    finally:
        worker.close()
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise SandboxError("the repository's config class did not give an object of names")
    if isinstance(aliases, dict):
        for alias, target in aliases.items():
            if isinstance(alias, str) and isinstance(target, str) and target in found:
                found.setdefault(alias, found[target])
    plain = authority_free(found)
    assert isinstance(plain, dict)
    plain.update({name: values[name] for name in ("auto_map", "architectures") if name in values})
    return plain


def _nothing_kept(number: int, description: str) -> Any:
    raise SandboxError(f"the repository's config holds a {description[:80]!r}, which is no data")
