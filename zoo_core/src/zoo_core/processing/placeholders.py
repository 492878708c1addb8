"""Replace the marks that stand for media in a text by as many tokens as the model will see."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zoo_core.errors import ProcessingError


def text_list(text: object) -> list[str]:
    """One text or several as a list.

    Raises:
        ProcessingError: something is no text; names its place.
    """
    if isinstance(text, str):
        return [text]
    if not isinstance(text, Sequence):
        raise ProcessingError(f"text must be a str or a list of str, got {type(text).__name__}")
    for place, one in enumerate(text):
        if not isinstance(one, str):
            raise ProcessingError(f"text {place} must be a str, got {type(one).__name__}")
    return list(text)


def expand_placeholders(
    texts: Sequence[str],
    placeholder: str,
    replacements: Sequence[Sequence[str | int]],
    *,
    what: str = "image",
) -> list[str]:
    """Each text with its marks replaced in order.

    Args:
        texts: one text per item of the batch.
        placeholder: the mark, such as ``<image>``.
        replacements: per text, one entry per mark: how often to repeat the mark, or the string to put
            in its place.
        what: the thing in question, for messages.

    Raises:
        ProcessingError: a text has more or fewer marks than it has replacements; names the item.
    """
    if len(texts) != len(replacements):
        raise ProcessingError(
            f"{len(texts)} texts came with {what}s for {len(replacements)}; one list per text"
        )
    done = []
    for index, (text, mine) in enumerate(zip(texts, replacements, strict=True)):
        marks = text.count(placeholder)
        if marks != len(mine):
            raise ProcessingError(
                f"text {index} has {marks} {placeholder!r} and {len(mine)} {what}{'s' * (len(mine) != 1)}; "
                f"write {placeholder!r} once for each {what}"
            )
        pending = iter(mine)

        def replace(_: re.Match[str], pending: object = pending) -> str:
            value = next(pending)  # type: ignore[call-overload]
            return placeholder * value if isinstance(value, int) else str(value)

        done.append(re.sub(re.escape(placeholder), replace, text))
    return done


def share_out(
    items: Sequence[object], texts: Sequence[str], placeholder: str, *, what: str = "image"
) -> list[list[object]]:
    """Deal a flat list of media to the texts by the marks in them, as a caller who passed one list meant."""
    counts = [text.count(placeholder) for text in texts]
    if sum(counts) != len(items):
        per_text = ", ".join(map(str, counts))
        raise ProcessingError(
            f"the texts have {sum(counts)} {placeholder!r} ({per_text}) for "
            f"{len(items)} {what}{'s' * (len(items) != 1)}; the numbers must agree"
        )
    dealt, start = [], 0
    for count in counts:
        dealt.append(list(items[start : start + count]))
        start += count
    return dealt
