"""From a reference to code in a repository to a class that stands for it: read, authorise, then sandbox."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable
from typing import Any

from zoo_core.errors import UntrustedCode, ZooError
from zoo_core.hub import Repository
from zoo_core.remote.automap import CodeReference, reference_for
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.gate import authorise, check_installed, describe
from zoo_core.remote.imports import report_imports
from zoo_core.remote.sources import MAX_FILE_BYTES, SourceBundle, digest_of, read_bundle, read_regular_file
from zoo_core.remote.trust import COMMIT, LoadContext

_TOKENIZERS = ("AutoTokenizer",)
_SETTINGS = (
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "tokenizer_config.json",
    "config.json",
)
_PROCESSORS = ("AutoProcessor", "AutoImageProcessor", "AutoFeatureExtractor", "AutoVideoProcessor")


def remote_class(
    auto_class: str, reference: CodeReference, *, repository: Repository, context: LoadContext
) -> Any:
    """The class that serves ``auto_class`` by the code behind ``reference``.

    Its ``from_pretrained`` and the like work as those of any class, in the sandbox; with ``sandbox=False``
    it is the repository's own class. Raises :class:`UntrustedCode` for code that may not run, and
    :class:`SandboxUnavailable` where it cannot be confined.
    """
    if inside is not None:
        return inside(auto_class, reference)
    code = authorised_code(auto_class, reference, repository=repository, context=context)
    if context.in_process:
        return _in_process(code)
    if auto_class == "AutoConfig":
        from zoo_core.remote.host.configs import config_class

        return config_class(code, context, _model_type(repository))
    if auto_class in _TOKENIZERS:
        from zoo_core.remote.host.tokenizer import tokenizer_class

        return tokenizer_class(code, context)
    if auto_class in _PROCESSORS:
        from zoo_core.remote.host.processor import processor_class

        parts = _parts(repository, context) if auto_class == "AutoProcessor" else {}
        return processor_class(code, context, repository, parts)
    from zoo_core.remote.host.model import model_class

    return model_class(code, context)


inside: Callable[[str, CodeReference], Any] | None = None
"""In a worker: what finds classes among the code that was sent to it, for loads that this code asks for."""


def _parts(repository: Repository, context: LoadContext) -> dict[str, RemoteCode]:
    """The code of a processor's components, by Auto class; authorised like any."""
    found: dict[str, RemoteCode] = {}
    for filename in _SETTINGS:
        values = repository.read_json(filename) if repository.find(filename) is not None else {}
        for auto_class in (*_TOKENIZERS, *_PROCESSORS[1:]):
            reference = reference_for(auto_class, values, source=f"{filename} of {repository.name}")
            if reference is not None and auto_class not in found:
                found[auto_class] = authorised_code(
                    auto_class, reference, repository=repository, context=context
                )
    return found


def what_would_run(reference: CodeReference, *, repository: Repository, context: LoadContext) -> str:
    """The files, hashes and imports of code that was not asked for, to be read; "" where it cannot be had."""
    try:
        _, bundle = _read(reference, repository, context)
    except (ZooError, OSError):
        return ""
    return f"\n{describe(bundle, report_imports(bundle))}"


def _read(
    reference: CodeReference, repository: Repository, context: LoadContext
) -> tuple[Repository, SourceBundle]:
    """The repository that holds the code, and its files, read once."""
    holder = _code_repository(reference, repository, context)
    bundle = read_bundle(
        lambda name: read_regular_file(holder.path(name), limit=MAX_FILE_BYTES),
        reference.filename,
        repo=_name(holder),
        commit=holder.commit,
    )
    if holder.is_local:
        bundle = dataclasses.replace(bundle, pin=_pin(holder, bundle))
    return holder, bundle


def authorised_code(
    auto_class: str, reference: CodeReference, *, repository: Repository, context: LoadContext
) -> RemoteCode:
    """Read the code behind ``reference`` once and decide whether it may run."""
    holder, bundle = _read(reference, repository, context)
    same = holder is repository
    authorise(
        bundle,
        auto_class=auto_class,
        reference=reference,
        repo=_name(repository),
        commit=repository.commit,
        context=context,
        requested_revision=context.code_revision or (repository.options.revision if same else None),
    )
    check_installed(bundle)
    return RemoteCode(bundle, reference)


def _code_repository(reference: CodeReference, repository: Repository, context: LoadContext) -> Repository:
    """The repository that holds the code, at the revision that the caller asked for."""
    other = reference.repo is not None and reference.repo != repository.name
    if not other:
        if repository.is_local or context.code_revision in (None, repository.options.revision):
            return repository
        options = dataclasses.replace(
            repository.options, revision=context.code_revision or repository.options.revision
        )
        return Repository(repository.name, options=options)
    assert reference.repo is not None
    pinned = COMMIT.fullmatch(repository.options.revision or "") is not None
    if pinned and context.code_revision is None:
        raise UntrustedCode(
            f"revision= pins {repository.name}, but its code lies in {reference.repo}, which may "
            f"change; pin that "
            "too: code_revision=<commit>"
        )
    revision = context.code_revision or "main"
    options = dataclasses.replace(repository.options, revision=revision, subfolder="")
    return Repository(reference.repo, options=options)


def _pin(folder: Repository, bundle: SourceBundle) -> str:
    """What stands for the commit of a local folder: the digest of all code in it."""
    hashes = {name: file.sha256 for name, file in bundle.files.items()}
    for name in folder.files():
        if name.endswith(".py") and name not in hashes:
            data = read_regular_file(folder.path(name), limit=MAX_FILE_BYTES)
            hashes[name] = hashlib.sha256(data).hexdigest()
    return digest_of(hashes)


def _name(repository: Repository) -> str:
    """What records call it: the id on the hub, or the real path of a folder."""
    return os.path.realpath(repository.name) if repository.is_local else repository.name


def _model_type(repository: Repository) -> str | None:
    if repository.single_file is not None or repository.find("config.json") is None:
        return None
    found = repository.read_json("config.json").get("model_type")
    return found if isinstance(found, str) else None


def _in_process(code: RemoteCode) -> type[Any]:
    """The repository's own class, run with all rights. Only after :func:`authorise` said so."""
    from zoo_core.remote.facade.modules import Facade
    from zoo_core.remote.worker.importer import PrivatePackage

    made = PrivatePackage(code.package, {}, origin=code.origin, facade=Facade(), visible=False)
    package = _packages.setdefault(code.package, made)
    package.add(code.sources)
    found = getattr(package.load(code.reference.filename), code.reference.class_name, None)
    if not isinstance(found, type):
        raise UntrustedCode(
            f"{code.origin}: {code.reference.filename} defines no class {code.reference.class_name}"
        )
    return found


_packages: dict[str, Any] = {}
"""Code that runs in this process, by revision, so that a config and a model share their classes."""
