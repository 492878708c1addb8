"""Where the Auto classes meet code that ships in a repository; `zoo_core.remote` runs it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo_core.errors import SandboxUnavailable, UntrustedCode
from zoo_core.remote.automap import CodeReference, reference_for

if TYPE_CHECKING:
    from zoo_core.auto.source import Source


def code_for(
    auto_class: str, values: Mapping[str, Any], source: Source, *, file: str, use_fast: bool = True
) -> CodeReference | None:
    """The code that ``values``, the content of ``file``, names for ``auto_class``; None for none."""
    return reference_for(auto_class, values, source=f"{file} of {source.name}", use_fast=use_fast)


def wanted(reference: CodeReference | None, *, native: bool, source: Source) -> bool:
    """Whether the code is to be used: a native class wins unless the caller says otherwise."""
    if reference is None:
        return False
    return not native or (source.context.trust_remote_code and source.context.prefer_remote_code)


def remote_class(auto_class: str, reference: CodeReference, source: Source) -> type[Any]:
    """The class behind ``reference``, which stands for code that runs in the sandbox.

    Raises:
        UntrustedCode: the caller has not passed ``trust_remote_code=True``.
    """
    if not source.context.trust_remote_code:
        loading = import_module("zoo_core.remote.loading")
        what = loading.what_would_run(reference, repository=source.repository, context=source.context)
        where = f"{reference.filename} of {reference.repo}" if reference.repo else reference.filename
        raise UntrustedCode(
            f"{source.name} needs code of its own for {auto_class}: class {reference.class_name} in {where}. "
            f"No installed package provides this architecture, and code of a repository does not run unless "
            f"you ask for it. Read the file, then pass trust_remote_code=True, which runs it in a sandbox "
            f"without access to files or network; pin what you have read with revision= (and code_revision= "
            f"where the code lies in another repository).{what}"
        )
    try:
        loading = import_module("zoo_core.remote.loading")
    except ModuleNotFoundError as error:
        raise SandboxUnavailable(
            f"{source.name} needs code of its own for {auto_class}; this zoo-core has no sandbox to run it in"
        ) from error
    found: type[Any] = loading.remote_class(
        auto_class, reference, repository=source.repository, context=source.context
    )
    return found
