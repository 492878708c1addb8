"""A tokenizer or processor whose class is code of a repository: an object in a worker, called by name."""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

import torch

from zoo_core.errors import SandboxError
from zoo_core.hub import HubOptions, Repository
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.host.process import Worker
from zoo_core.remote.host.saving import write_code, write_tokenizer_settings
from zoo_core.remote.trust import LoadContext
from zoo_core.remote.wire.codec import Decoder, Encoder, Opaque
from zoo_core.remote.wire.frames import ProtocolError

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".onnx", ".gguf", ".ckpt")


class SandboxedObject:
    """Stands for an object in a worker, which may read the repository's files other than weights.

    Methods are called by name, attributes read by name; what passes is data.
    """

    _code: ClassVar[RemoteCode]
    _context: ClassVar[LoadContext]
    _parts: ClassVar[Mapping[str, RemoteCode]] = {}
    """Code of components that the object loads itself, by Auto class."""

    def __init__(self, folder: Path, files: Mapping[str, Path], options: Mapping[str, Any]) -> None:
        self._folder = folder
        self._files = dict(files)
        self._worker = Worker(
            self._context.policy, readable=[str(path) for path in files.values()], listable=[str(folder)]
        )
        for code in (self._code, *self._parts.values()):
            self._worker.ask("import", **code.request())
        encoder = Encoder(self._worker.inbox)
        answer = self._worker.ask(
            "new",
            deadline=self._context.policy.start_deadline,
            **{"class": self._code.where},
            value=encoder.encode((str(folder), dict(options))),
            parts={auto_class: code.where for auto_class, code in self._parts.items()},
        )
        about = self._decoded(answer)
        if not isinstance(about, dict) or not isinstance(about.get("methods"), list):
            raise ProtocolError("an object without a description")
        self._methods = frozenset(name for name in about["methods"] if isinstance(name, str))

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *args: Any, **kwargs: Any
    ) -> Self:
        """The object that the repository's class makes of its files, in the sandbox."""
        repository = kwargs.pop("_repository", None)
        options = HubOptions.pop_from(kwargs)
        LoadContext.pop_from(kwargs)
        kwargs.pop("_from_auto", None)
        unused = kwargs.pop("return_unused_kwargs", False)
        if args:
            raise SandboxError("positional arguments of a sandboxed object's constructor are not passed on")
        repository = repository or Repository(pretrained_model_name_or_path, options=options)
        names = [name for name in repository.files() if not name.endswith(_WEIGHTS) and "/" not in name]
        files = {name: repository.path(name) for name in names}
        if not files:
            raise SandboxError(f"{repository.name} has no files to read")
        made = cls(Path(next(iter(files.values()))).parent, files, kwargs)
        return (made, {}) if unused else made  # type: ignore[return-value]

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call ``method`` in the sandbox."""
        worker = self._worker
        with worker.lock:
            worker.inbox.reset()
            encoder = Encoder(worker.inbox)
            value = encoder.encode((args, kwargs))
            answer = worker.ask(
                "call", method=method, value=value, training=None, trainable=None, grad=False,
                rng=encoder.encode(torch.get_rng_state()),
            )  # fmt: skip
            return self._decoded(answer)

    def get(self, name: str) -> Any:
        """Read an attribute in the sandbox."""
        with self._worker.lock:
            return self._decoded(self._worker.ask("get", name=name))

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _decoded(self, answer: Mapping[str, Any]) -> Any:
        decoder = Decoder(self._worker.outbox, kept=self._kept, output=lambda name, fields: fields)
        return decoder.decode(answer.get("value"))

    def _kept(self, number: int, description: str) -> Opaque:
        found = Opaque(number, description, self._worker)
        weakref.finalize(found, self._worker.forget, number)
        return found

    def _batch(self, value: Any) -> Any:
        """A mapping as the kind of batch that the object gives."""
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._methods:
            return lambda *args, **kwargs: self.call(name, *args, **kwargs)
        return SandboxedAttribute.read(self, name)

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> tuple[str, ...]:
        """Copy the files that the object was made of, and its code, to a folder that loads as the repository
        did. Of changes made since, those of a tokenizer's tokens and settings are written."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        kept = [name for name in self._files if not (folder / name).exists()]
        for name in kept:
            if not name.endswith(".py"):
                shutil.copyfile(self._files[name], folder / name)
        write_code(folder, None, [self._code, *self._parts.values()])
        settings = self._decoded(self._worker.ask("settings"))
        if isinstance(settings, dict) and settings:
            write_tokenizer_settings(folder, settings)
        return tuple(str(folder / name) for name in kept)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in the sandbox, code of {self._code.origin}>"

    def __reduce__(self) -> NoReturn:
        raise SandboxError("an object in the sandbox can be neither pickled nor copied; load it again")


class SandboxedAttribute:
    """What is no data of an object in a worker: a part of it, or a method of a part, reached by name."""

    def __init__(self, owner: SandboxedObject, path: str, kind: str) -> None:
        self._owner, self._path, self._kind = owner, path, kind

    @classmethod
    def read(cls, owner: SandboxedObject, path: str) -> Any:
        """The attribute at the dotted ``path``: data itself, anything else by name."""
        try:
            value = owner.get(path)
        except SandboxError as error:
            raise AttributeError(f"the sandboxed {type(owner).__name__} has no {path!r}: {error}") from None
        return cls(owner, path, repr(value)) if isinstance(value, Opaque) else value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self._owner.call(f"{self._path}.__call__", *args, **kwargs)
        return self._owner._batch(found) if isinstance(found, dict) else found

    def __len__(self) -> int:
        return int(self._owner.call(f"{self._path}.__len__"))

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.read(self._owner, f"{self._path}.{name}")

    def __repr__(self) -> str:
        return self._kind
