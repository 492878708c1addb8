"""Text for people: colours and tables in a terminal, plain aligned text in a pipe."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_ESCAPE = re.compile(r"\x1b\[(?:0|(?:%s)(?:;(?:%s))*)m" % (("|".join(_CODES.values()),) * 2))
_STYLED = re.compile(rf"({_ESCAPE.pattern})(.*?)(\x1b\[0m)", re.DOTALL)
# Checkpoints and plugins are written by others: none of their bytes may steer the reader's terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_GAP = "  "
_NARROWEST = 24
_SYMBOLS = {"ok": ("✓", "ok"), "note": ("·", "-"), "warning": ("!", "!"), "error": ("✗", "x")}
_SYMBOL_COLORS = {"ok": "green", "note": "dim", "warning": "yellow", "error": "red"}


class Terminal:
    """Where a command writes. Colours follow NO_COLOR, FORCE_COLOR, TERM and whether a person is reading."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.interactive = self.stream.isatty()
        self.color = self._wants_color()
        self.width = shutil.get_terminal_size().columns if self.interactive else None

    def line(self, text: str = "") -> None:
        """Write one line."""
        try:
            self.stream.write(clean(text) + "\n")
        except UnicodeEncodeError:
            encoding = self.stream.encoding or "ascii"
            self.stream.write(clean(text).encode(encoding, "replace").decode(encoding) + "\n")

    def style(self, text: str, *styles: str) -> str:
        """``text`` in the given styles (bold, dim, red, ...); unchanged without colours."""
        if not self.color or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in styles)}m{text}\x1b[0m"

    def heading(self, text: str) -> None:
        """A blank line and a title."""
        self.line()
        self.line(self.style(text, "bold"))

    def symbol(self, status: str) -> str:
        """The mark of "ok", "note", "warning" or "error", in letters where the stream has no such sign."""
        sign, letters = _SYMBOLS[status]
        try:
            sign.encode(self.stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            sign = letters
        return self.style(sign, _SYMBOL_COLORS[status])

    def paragraph(self, text: str, *, indent: int = 2) -> None:
        """``text``, wrapped to the terminal's width."""
        prefix = " " * indent
        for line in self._wrap(text, indent):
            self.line(prefix + line)

    def table(
        self,
        rows: Sequence[Sequence[Any]],
        *,
        headers: Sequence[str] = (),
        right: Sequence[int] = (),
        one_line: bool = False,
    ) -> None:
        """Aligned columns, those numbered in ``right`` to the right.

        In a terminal the last column wraps, or with ``one_line`` is cut where the line ends.
        """
        cells = [[str(cell) for cell in row] for row in rows]
        titles = [[self.style(title, "dim") for title in headers]] if headers else []
        everything = titles + cells
        if not everything:
            return
        count = len(everything[0])
        widths = [max(display_width(row[column]) for row in everything) for column in range(count)]
        offset = sum(width + len(_GAP) for width in widths[:-1]) + len(_GAP)
        for row in everything:
            last = self._wrap(row[-1], offset, most=1 if one_line else None) or [""]
            fixed = [_pad(row[i], widths[i], right=i in right) for i in range(count - 1)]
            tail = _pad(last[0], widths[-1], right=True) if count - 1 in right else last[0]
            self.line((_GAP + _GAP.join([*fixed, tail])).rstrip())
            for more in last[1:]:
                self.line(" " * offset + more)

    def _wrap(self, text: str, offset: int, *, most: int | None = None) -> list[str]:
        if self.width is None:
            return [text]
        styled = _STYLED.fullmatch(text)
        before, plain, after = styled.groups() if styled else ("", text, "")
        if _ESCAPE.search(plain):  # several styles in one text: left as it is
            return [text]
        room = max(self.width - offset, _NARROWEST)
        lines = textwrap.wrap(
            plain, room, break_long_words=False, break_on_hyphens=False, max_lines=most, placeholder=" ..."
        )
        return [before + line + after for line in lines]

    def _wants_color(self) -> bool:
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return self.interactive and os.environ.get("TERM") != "dumb"


def clean(text: str) -> str:
    """``text`` without control characters; only the styles above, tabs and newlines pass."""
    pieces, styles = _ESCAPE.split(text), [*_ESCAPE.findall(text), ""]
    return "".join(
        _CONTROL.sub("\N{REPLACEMENT CHARACTER}", piece) + style
        for piece, style in zip(pieces, styles, strict=True)
    )


def display_width(text: str) -> int:
    """Columns that ``text`` takes; styles take none, wide characters of East Asian scripts two."""
    plain = _ESCAPE.sub("", text)
    if plain.isascii():
        return len(plain)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in plain)


def size(count: float) -> str:
    """Bytes for people: ``86.7 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} TiB"


def quantity(count: int) -> str:
    """A count for people: ``22.7 M``."""
    for limit, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if count >= limit:
            return f"{count / limit:.3g} {unit}"
    return str(count)


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space
