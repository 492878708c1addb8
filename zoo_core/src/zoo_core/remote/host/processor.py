"""Processors of images, sound or several things whose class is code of a repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from zoo_core.hub import Repository
from zoo_core.processing import BatchFeature
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.host.remote_object import SandboxedObject
from zoo_core.remote.trust import LoadContext


class SandboxedProcessor(SandboxedObject):
    """A processor in the sandbox; images go in as pixels, batches come back as `BatchFeature`."""

    _repository: ClassVar[Repository]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._batch(self.call("__call__", *args, **kwargs))

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], **kwargs: Any) -> Any:
        """The processor of the repository in which ``settings`` were found; its code reads them there."""
        return cls.from_pretrained(cls._repository.name, _repository=cls._repository, **kwargs)

    def preprocess(self, *args: Any, **kwargs: Any) -> Any:
        return self._batch(self.call("preprocess", *args, **kwargs))

    def _batch(self, value: Any) -> Any:
        return BatchFeature(value) if isinstance(value, dict) else value


def processor_class(
    code: RemoteCode, context: LoadContext, repository: Repository, parts: Mapping[str, RemoteCode]
) -> type[SandboxedProcessor]:
    """A processor class that stands for ``code``, with the settings in ``repository`` and the code of
    its components."""
    body = {"_code": code, "_context": context, "_repository": repository, "_parts": parts}
    made: type[SandboxedProcessor] = type(code.reference.class_name, (SandboxedProcessor,), body)
    return made
