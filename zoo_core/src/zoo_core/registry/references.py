"""``module:Class`` references: syntax, and loading with the distribution named on failure."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from zoo_core.errors import PluginLoadError, ZooError
from zoo_core.registry import scan
from zoo_core.registry.scan import canonical


def parse(reference: object) -> tuple[str, str]:
    """(module, attribute path) of ``reference``; ``ValueError`` when it is not ``module:Class``."""
    if isinstance(reference, str):
        module, _, attribute = reference.partition(":")
        if all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
            return module, attribute
    raise ValueError(f"{reference!r} is not a reference; the form is 'package.module:Class'")


def resolve(reference: str, *, distribution: str) -> Any:
    """The object behind ``reference``.

    Whatever the import raises becomes ``PluginLoadError`` with distribution, version and the cause; the
    zoo's own errors pass, so that a missing extra still names its ``pip install``.
    """
    try:
        module, attribute = parse(reference)
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ZooError:
        raise
    except (Exception, SystemExit) as error:  # a plugin may fail, or stop, in any way at import
        raise broken(
            distribution,
            f"advertises {reference!r}, which cannot be imported: {type(error).__name__}: {error}. "
            f"Everything else keeps working; repair or uninstall {distribution}, or hide it with "
            f"ZOO_DISABLE={distribution}.",
        ) from error
    return found


def load(reference: str, *, distribution: str) -> type[Any]:
    """The class behind ``reference``; as ``resolve``, and anything but a class is refused."""
    found = resolve(reference, distribution=distribution)
    if not isinstance(found, type):
        raise broken(distribution, f"advertises {reference!r} as a class, but it is {found!r:.80}.")
    return found


def broken(distribution: str, what: str) -> PluginLoadError:
    """The error for ``distribution`` having advertised something it cannot serve."""
    provider = scan.current().providers.get(canonical(distribution))
    version = provider.version if provider else ""
    return PluginLoadError(
        f"{distribution} {version}".rstrip() + f" {what}", distribution=distribution, version=version
    )
