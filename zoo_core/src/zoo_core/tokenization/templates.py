"""Where special tokens stand around one text or two: ``("cls $A sep", "cls $A sep $B:1 sep:1")``.

A word is the role of a token without ``_token``, or any token's text in quotes; ``$A`` and ``$B`` are the
texts; ``:1`` gives a segment (token type) id, 0 when left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from zoo_core.errors import TokenizerError

if TYPE_CHECKING:
    from zoo_core.tokenization.special_tokens import SpecialTokens

Template = tuple[str, str]
PLAIN: Template = ("$A", "$A $B:1")


class Part(NamedTuple):
    """One place of a template: a text (``sequence`` 0 or 1) or a special token."""

    sequence: int | None
    token: str
    segment: int


def parse(template: str, tokens: SpecialTokens) -> list[Part]:
    """The places of ``template``, roles replaced by the texts that ``tokens`` gives them.

    Roles without a token are left out.
    """
    parts = []
    for word in template.split():
        name, _, segment = word.rpartition(":") if word[-2:-1] == ":" else (word, "", "0")
        if name in ("$A", "$B"):
            parts.append(Part("AB".index(name[1]), "", int(segment)))
            continue
        if name[:1] == name[-1:] == '"':
            token: str | None = name[1:-1]
        else:
            token = getattr(tokens, f"{name}_token", None)
        if token is not None:
            parts.append(Part(None, token, int(segment)))
    return parts


class Frame(NamedTuple):
    """Ids and segments of the special tokens before, between and after the texts."""

    before: list[int]
    between: list[int]
    after: list[int]
    segments: tuple[list[int], int, list[int], int, list[int]]

    @property
    def size(self) -> int:
        return len(self.before) + len(self.between) + len(self.after)

    def ids(self, first: list[int], second: list[int] | None) -> list[int]:
        return [*self.before, *first, *self.between, *(second or []), *self.after]

    def segment_ids(self, first: int, second: int | None) -> list[int]:
        before, a, between, b, after = self.segments
        return [*before, *[a] * first, *between, *[b] * (second or 0), *after]

    def mask(self, first: int, second: int | None) -> list[int]:
        """1 at special tokens."""
        return [
            *[1] * len(self.before),
            *[0] * first,
            *[1] * len(self.between),
            *[0] * (second or 0),
            *[1] * len(self.after),
        ]


def frame(places: list[tuple[int | None, int, int]]) -> Frame:
    """A Frame from places ``(sequence or None, id, segment)`` in order."""
    ids: list[list[int]] = [[], [], []]
    segments: list[list[int]] = [[], [], []]
    texts = [0, 0]
    seen = [place[0] for place in places if place[0] is not None]
    if seen not in ([0], [0, 1]):
        raise TokenizerError(f"A template holds $A, or $A and then $B, once each; this one holds {seen}.")
    area = 0
    for sequence, index, segment in places:
        if sequence is not None:
            texts[sequence] = segment
            area = sequence + 1
        else:
            ids[area].append(index)
            segments[area].append(segment)
    if len(seen) == 1:
        ids, segments = [ids[0], [], ids[1]], [segments[0], [], segments[1]]
    return Frame(ids[0], ids[1], ids[2], (segments[0], texts[0], segments[1], texts[1], segments[2]))
