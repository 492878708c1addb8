"""Processors of images, sound or several things whose class is code of a repository."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.host.remote_object import SandboxedObject
from zoo_core.remote.trust import LoadContext


class SandboxedProcessor(SandboxedObject):
    """A processor in the sandbox; images go in as pixels, batches come back as `BatchFeature`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _feature(self.call("__call__", *args, **kwargs))

    def preprocess(self, *args: Any, **kwargs: Any) -> Any:
        return _feature(self.call("preprocess", *args, **kwargs))


def _feature(value: Any) -> Any:
    return BatchFeature(value) if isinstance(value, dict) else value


def processor_class(code: RemoteCode, context: LoadContext) -> type[SandboxedProcessor]:
    """A processor class that stands for ``code``."""
    body = {"_code": code, "_context": context, "__module__": __name__}
    made: type[SandboxedProcessor] = type(code.reference.class_name, (SandboxedProcessor,), body)
    return made
