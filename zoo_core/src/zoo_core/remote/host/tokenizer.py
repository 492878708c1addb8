"""Tokenizers whose class is code of a repository."""

from __future__ import annotations

from typing import Any

from zoo_core.remote.code import RemoteCode
from zoo_core.remote.host.remote_object import SandboxedObject
from zoo_core.remote.trust import LoadContext
from zoo_core.tokenization import BatchEncoding


class SandboxedTokenizer(SandboxedObject):
    """A tokenizer in the sandbox, with the methods of any tokenizer; batches come back as `BatchEncoding`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _encoding(self.call("__call__", *args, **kwargs))

    def encode_plus(self, *args: Any, **kwargs: Any) -> Any:
        return _encoding(self.call("encode_plus", *args, **kwargs))

    def batch_encode_plus(self, *args: Any, **kwargs: Any) -> Any:
        return _encoding(self.call("batch_encode_plus", *args, **kwargs))

    def pad(self, *args: Any, **kwargs: Any) -> Any:
        return _encoding(self.call("pad", *args, **kwargs))

    def apply_chat_template(self, *args: Any, **kwargs: Any) -> Any:
        found = self.call("apply_chat_template", *args, **kwargs)
        return _encoding(found) if isinstance(found, dict) else found

    def __len__(self) -> int:
        return int(self.call("__len__"))


def _encoding(value: Any) -> Any:
    return BatchEncoding(value) if isinstance(value, dict) else value


def tokenizer_class(code: RemoteCode, context: LoadContext) -> type[SandboxedTokenizer]:
    """A tokenizer class that stands for ``code``."""
    body = {"_code": code, "_context": context, "__module__": __name__}
    made: type[SandboxedTokenizer] = type(code.reference.class_name, (SandboxedTokenizer,), body)
    return made
