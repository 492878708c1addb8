"""Names as a user may have meant them: the closest known ones, and those contained in a path."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable

_LONGEST_COMPARED = 100  # difflib is quadratic and the name may come from a hostile file


_PAIRED = ("Tokenizer", "ImageProcessor", "VideoProcessor")


def plain(class_name: str) -> str:
    """``class_name`` without the ending that names a fast variant: the name under which both are known."""
    for kind in _PAIRED:
        if class_name.endswith(f"{kind}Fast"):
            return class_name.removesuffix("Fast")
    return class_name


def twins(class_name: str) -> tuple[str, ...]:
    """The spellings that mean ``class_name``, itself first: XTokenizer and XTokenizerFast are one."""
    stem = plain(class_name)
    if not stem.endswith(_PAIRED):
        return (class_name,)
    return class_name, stem if stem != class_name else f"{stem}Fast"


def closest(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Up to ``most`` of the ``known`` names that resemble ``name``, best first, whatever their case."""
    from difflib import get_close_matches  # only errors need it

    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(name[:_LONGEST_COMPARED].casefold(), list(by_folded), n=most)
    return [by_folded[folded] for folded in found]


def match(path: str | os.PathLike[str], known: Iterable[str]) -> str | None:
    """The longest of the ``known`` names that ``path`` contains, with a warning; None when none is."""
    text = os.fspath(path)
    found = max((name for name in known if name in text), key=lambda name: (len(name), name), default=None)
    if found is not None:
        warnings.warn(
            f"The configuration of {text!r} has no `model_type`; {found!r} is assumed because the path "
            f'contains it. Add "model_type": "{found}" to config.json to say so.',
            stacklevel=3,
        )
    return found
