"""Text from untrusted code, made safe to print: no control characters, no endless lines."""

from __future__ import annotations

import unicodedata

_KEPT = {"\n", "\t"}
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Control, format (bidirectional overrides among them), surrogates, private use, line separators."""


def printable(text: str) -> str:
    """``text`` with every character that could steer a terminal or hide text written as an escape."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        char if char in _KEPT or unicodedata.category(char) not in _UNSAFE else ascii(char)[1:-1]
        for char in text
    )


def quoted(text: str, *, limit: int = 2000) -> str:
    """``text`` of sandboxed code for an error message: printable, capped, and marked as not ours."""
    safe = printable(text[: limit + 1])
    if len(safe) > limit:
        safe = safe[:limit] + "..."
    return "sandboxed code says: " + safe
