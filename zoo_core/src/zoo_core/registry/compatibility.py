"""Whether a plugin was made for this zoo-core: its installed metadata says so, nothing is imported."""

from __future__ import annotations

from zoo_core import __version__
from zoo_core.errors import PluginVersionError
from zoo_core.registry.scan import Provider, canonical

_accepted: set[Provider] = set()


def check(provider: Provider) -> None:
    """``PluginVersionError`` unless the zoo-core range that ``provider`` declares holds this version."""
    if provider in _accepted:
        return
    wanted = incompatible(provider)
    if wanted is not None:
        raise PluginVersionError(
            f"{provider} requires zoo-core{wanted}, and this is zoo-core {__version__}. "
            f'pip install "zoo-core{wanted}", or install a release of {provider.name} that was made for '
            f"zoo-core {__version__}.",
            distribution=provider.name,
            version=provider.version,
        )
    _accepted.add(provider)


def incompatible(provider: Provider) -> str | None:
    """The declared zoo-core range that this version misses; None when all is well."""
    from packaging.requirements import InvalidRequirement, Requirement  # tens of ms, needed by plugins only

    for line in provider.requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if canonical(requirement.name) != "zoo-core":
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if not requirement.specifier.contains(__version__, prereleases=True):
            return str(requirement.specifier)
    return None
