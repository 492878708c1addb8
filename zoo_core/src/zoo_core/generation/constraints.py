"""What a constrained beam search must produce."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from zoo_core.errors import GenerationError


class Constraint:
    """A requirement that tokens fulfil one after another.

    A subclass counts how many more tokens it needs (`remaining`), names those that bring it forward
    (`advance`), and takes the next token (`update`). It is copied with every hypothesis.
    """

    #: tokens that fulfil it, at most
    seqlen: int = 0

    @property
    def completed(self) -> bool:
        """Whether it is fulfilled."""
        return self.remaining() == 0

    def advance(self) -> list[int]:
        """Tokens that bring it one step forward."""
        raise NotImplementedError

    def does_advance(self, token_id: int) -> bool:
        """Whether this token is one of them."""
        return token_id in self.advance()

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        """Take a token; returns (came forward, is now fulfilled, was thrown back)."""
        raise NotImplementedError

    def reset(self) -> None:
        """Go back to the beginning."""
        raise NotImplementedError

    def remaining(self) -> int:
        """Tokens that are still needed."""
        raise NotImplementedError

    def copy(self, stateful: bool = False) -> Constraint:
        """Another one of the same requirement, with the same progress if `stateful`."""
        twin = copy.copy(self)
        if not stateful:
            twin.reset()
        return twin


def _checked(token_ids: Sequence[int], what: str) -> list[int]:
    ids = list(token_ids) if isinstance(token_ids, list | tuple) else []
    if not ids or any(not isinstance(i, int) or i < 0 for i in ids):
        raise GenerationError(f"{what}: {token_ids!r:.60} must be a list of token ids that is not empty")
    return ids


class DisjunctiveConstraint(Constraint):
    """One of several phrases occurs."""

    def __init__(self, nested_token_ids: Sequence[Sequence[int]]) -> None:
        if not isinstance(nested_token_ids, list | tuple) or not nested_token_ids:
            raise GenerationError(f"{nested_token_ids!r:.60} must be a list of lists of token ids")
        self.token_ids = [_checked(ids, "a forced phrase") for ids in nested_token_ids]
        self.seqlen = max(len(ids) for ids in self.token_ids)
        self.reset()

    def reset(self) -> None:
        self.taken: tuple[int, ...] = ()
        self.found = False

    def advance(self) -> list[int]:
        if self.found:
            return []
        size = len(self.taken)
        return sorted({ids[size] for ids in self.token_ids if tuple(ids[:size]) == self.taken})

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        if self.found:
            return False, True, False
        thrown_back = False
        if token_id not in self.advance():
            thrown_back = bool(self.taken)
            self.taken = self._restart((*self.taken, token_id))
        else:
            self.taken = (*self.taken, token_id)
        self.found = any(tuple(ids) == self.taken for ids in self.token_ids)
        return bool(self.taken), self.found, thrown_back and not self.taken

    def _restart(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        """The longest end of `tokens` with which a phrase begins."""
        for start in range(1, len(tokens)):
            if any(tuple(ids[: len(tokens) - start]) == tokens[start:] for ids in self.token_ids):
                return tokens[start:]
        return ()

    def remaining(self) -> int:
        if self.found:
            return 0
        size = len(self.taken)
        return min(len(ids) - size for ids in self.token_ids if tuple(ids[:size]) == self.taken)


class PhrasalConstraint(DisjunctiveConstraint):
    """A phrase occurs."""

    def __init__(self, token_ids: Sequence[int]) -> None:
        super().__init__([_checked(token_ids, "a forced phrase")])


class Progress:
    """How far one hypothesis has come with all constraints."""

    def __init__(self, constraints: Sequence[Constraint]) -> None:
        self.constraints = [constraint.copy() for constraint in constraints]

    def after(self, token_id: int) -> Progress:
        """The progress once this token follows.

        A phrase that has begun takes the token first: two phrases do not share one.
        """
        twin = Progress(())
        twin.constraints = [constraint.copy(stateful=True) for constraint in self.constraints]
        begun = [c for c in twin.constraints if not c.completed and c.remaining() < c.seqlen]
        for constraint in begun:
            advanced, _, _ = constraint.update(token_id)
            if advanced:
                return twin
        for constraint in twin.constraints:
            if not constraint.completed and constraint not in begun and constraint.does_advance(token_id):
                constraint.update(token_id)
                break
        return twin

    def advance(self) -> list[int]:
        """Tokens that bring a constraint forward; those of phrases that have begun, where there are any."""
        open_ones = [c for c in self.constraints if not c.completed]
        begun = [c for c in open_ones if c.remaining() < c.seqlen]
        return sorted({token for c in begun or open_ones for token in c.advance()})

    @property
    def missing(self) -> int:
        """Tokens that are still needed by all constraints together."""
        return sum(constraint.remaining() for constraint in self.constraints)


def constraints_of(
    constraints: list[Constraint] | None, force_words_ids: list[object] | None
) -> list[Constraint]:
    """The given constraints, and those of force_words_ids: phrases, and lists of which one is wanted."""
    found = list(constraints or ())
    for constraint in found:
        if not isinstance(constraint, Constraint):
            raise GenerationError(
                f"constraints holds a {type(constraint).__name__}; it takes Constraint objects"
            )
    if force_words_ids is not None and (not isinstance(force_words_ids, list) or not force_words_ids):
        raise GenerationError(f"force_words_ids={force_words_ids!r:.60} must be a list that is not empty")
    for entry in force_words_ids or ():
        if isinstance(entry, list | tuple) and entry and isinstance(entry[0], list | tuple):
            found.append(DisjunctiveConstraint(entry))
        else:
            found.append(PhrasalConstraint(entry))  # type: ignore[arg-type]
    return found
