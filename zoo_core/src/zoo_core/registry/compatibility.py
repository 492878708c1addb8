"""Whether a plugin was made for this zoo-core: its installed metadata says so, nothing is imported."""

from __future__ import annotations

import operator
import re

from zoo_core import __version__
from zoo_core.errors import PluginVersionError
from zoo_core.registry.scan import Provider, canonical

_accepted: set[Provider] = set()

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_CLAUSE = re.compile(r"(>=|<=|<|>|==|!=)(\d+(?:\.\d+)*)")
_PLAIN = re.compile(rf"{_NAME.pattern} ?(?P<range>{_CLAUSE.pattern}(?:, ?{_CLAUSE.pattern})*)")
_EXTRA = re.compile(r"[^;]*; ?extra ?== ?(['\"])[\w-]+\1")
"""A requirement of one extra, which asks nothing of who did not ask for the extra."""
_RELEASE = re.compile(r"\d+(\.\d+)*")
_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}


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
    own = [line for line in provider.requires if canonical(_name(line)) == "zoo-core"]
    unsure = [line for line in own if not _EXTRA.fullmatch(line) and not surely_holds(line, __version__)]
    if not unsure:
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    for line in unsure:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if not requirement.specifier.contains(__version__, prereleases=True):
            return str(requirement.specifier)
    return None


def surely_holds(requirement: str, version: str) -> bool:
    """Whether ``requirement`` is a plain range, ``name>=0.1,<0.2``, that holds the release ``version``.

    False means only that ``packaging`` must say. Nearly all plugins declare such a range, and importing
    ``packaging`` costs as much as a quarter of a whole ``AutoConfig.from_pretrained``.
    """
    match = _PLAIN.fullmatch(requirement)
    if match is None or _RELEASE.fullmatch(version) is None:
        return False
    ours = _parts(version)
    return all(_COMPARE[sign](ours, _parts(bound)) for sign, bound in _CLAUSE.findall(match["range"]))


def _parts(release: str) -> tuple[int, ...]:
    """Numbers of a release without trailing zeros, so that 1.0 and 1 are one (PEP 440)."""
    numbers = [int(part) for part in release.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _name(requirement: str) -> str:
    match = _NAME.match(requirement.strip())
    return match[0] if match else ""
