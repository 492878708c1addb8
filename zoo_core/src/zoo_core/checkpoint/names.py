"""From the names inside a model to the names in its Hub files, and back.

A module may carry ``hub_names``, a table from its *relative* canonical paths to Hub paths or operations
(:mod:`zoo_core.checkpoint.ops`)::

    class BertLayer(nn.Module):
        hub_names = {"self_attn.q_proj": "attention.self.query", "mlp.fc1": "intermediate.dense"}

For each tensor the walk starts at the root. A module's own table is asked first, for its longest matching
prefix of whole dotted components (``*`` in a key matches exactly one component and fills the next ``*`` of
the value; a literal component goes before ``*``). The prefix is replaced and the walk goes on at the
sub-module that the prefix leads to, with that module's table. Without a match the first component maps to
itself. The value ``""`` drops the level. A key may name a parameter (``"bias": "LayerNorm.bias"``), and the
key of an operation may be a tuple of paths.

The plan is enumerated over the model's own tensors, so its inverse is a dictionary inverse: nothing that
can be saved can fail to load.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo_core.checkpoint.ops import Op, Shape
from zoo_core.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor, nn

HubNames = Mapping["str | tuple[str, ...]", "str | Op"]
"""The type of a ``hub_names`` table."""


class NameConflict(CheckpointError, ValueError):
    """Two tensors of a model claim one name in the file, or a table cannot be applied."""


class Row(NamedTuple):
    """Canonical tensors and the Hub tensors that hold them; ``op`` is None when only the name changes."""

    canonical: tuple[str, ...]
    hub: tuple[str, ...]
    op: Op | None = None

    def __str__(self) -> str:
        operation = "" if self.op is None else f"  {self.op!r}"
        return f"{', '.join(self.canonical)} <- {_abbreviated(self.hub)}{operation}"


def _abbreviated(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, ... {names[-1]} ({len(names)})"


class NamePlan:
    """Every persistent tensor of a model with its names inside and in the file.

    Two plans compare equal when their rows do; ``str(plan)`` is one line a row, made for reading and diff.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)
        self._by_hub: dict[str, Row] = {}
        for row in self.rows:
            once = len(row.hub) == 1 or len(set(row.hub)) == len(row.hub)
            for hub in row.hub:
                other = self._by_hub.setdefault(hub, row)
                if other is not row or not once:
                    raise NameConflict(
                        f"{' and '.join(sorted({*other.canonical, *row.canonical}))} both claim the Hub name "
                        f"{hub!r}; each name in a file belongs to one tensor. Mend the `hub_names` table "
                        f"that leads one of them there."
                    )

    @classmethod
    def of(cls, model: nn.Module) -> NamePlan:
        """The plan of ``model`` (on the meta device or real); aliases of tied tensors have rows as well."""
        return cls(_Planner(model).rows())

    @functools.cached_property
    def canonical_to_hub(self) -> dict[str, tuple[str, ...]]:
        """For each canonical name, the Hub names whose tensors hold it."""
        return {name: row.hub for row in self.rows for name in row.canonical}

    @functools.cached_property
    def hub_to_canonical(self) -> dict[str, tuple[str, ...]]:
        """For each Hub name, the canonical names that it holds (a part of)."""
        return {hub: row.canonical for hub, row in self._by_hub.items()}

    @functools.cached_property
    def row_of(self) -> dict[str, Row]:
        """The row of each canonical name."""
        return {name: row for row in self.rows for name in row.canonical}

    def row_of_hub(self, name: str) -> Row | None:
        """The row that a Hub name belongs to."""
        return self._by_hub.get(name)

    @property
    def hub_names(self) -> frozenset[str]:
        """Every name that a file may hold."""
        return frozenset(self._by_hub)

    def hub(self, canonical: str) -> str:
        """The Hub spelling of one canonical name for messages: its first Hub name."""
        return self.canonical_to_hub[canonical][0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamePlan) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @functools.cached_property
    def _key(self) -> tuple[Row, ...]:
        return tuple(sorted(self.rows, key=lambda row: row.canonical))

    def __str__(self) -> str:
        return "\n".join(map(str, self._key))

    def __len__(self) -> int:
        return len(self.rows)


class _OpPlace(NamedTuple):
    """A place at or below a table entry whose value is an operation."""

    op: Op
    """The operation, its Hub paths absolute."""
    members: tuple[str, ...]
    """Canonical paths of the entry's members, absolute."""
    member: int
    """Which member this place is under."""
    suffix: str = ""
    """Hub path below the member."""


_Place = str | _OpPlace
"""Where in the file the walk has come to: a Hub path, or a place inside an operation."""


class _Node:
    """A node of the prefix tree that a table is compiled to."""

    __slots__ = ("entry", "literal", "star")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.star: _Node | None = None
        self.entry: tuple[str | Op, tuple[str, ...], int] | None = None


_State = tuple[_Node, tuple[str, ...]]
"""A node that is still possible, and what its stars matched."""


def _compile(owner: str, table: HubNames) -> _Node:
    root = _Node()
    for key, value in table.items():
        members = (key,) if isinstance(key, str) else tuple(key)
        where = f"{owner}.hub_names[{key!r}]"
        if not isinstance(value, str | Op):
            raise NameConflict(f"{where}: expected a Hub path or an operation, not {value!r}")
        if len(members) != 1 and not isinstance(value, Op):
            raise NameConflict(f"{where}: a tuple of paths needs an operation such as Fused({value!r})")
        for index, member in enumerate(members):
            node = root
            for part in member.split("."):
                if part == "*":
                    node.star = node.star or _Node()
                    node = node.star
                else:
                    node = node.literal.setdefault(part, _Node())
            if node.entry is not None:
                raise NameConflict(f"{where}: {member!r} stands twice in this table")
            node.entry = (value, members, index)
    return root


def _advance(states: Sequence[_State], name: str) -> list[_State]:
    """The states after one more component, the most literal first."""
    after = [(node.literal[name], stars) for node, stars in states if name in node.literal]
    after += [(node.star, (*stars, name)) for node, stars in states if node.star is not None]
    return after


def _fill(pattern: str, stars: tuple[str, ...]) -> str:
    for star in stars:
        pattern = pattern.replace("*", star, 1)
    return pattern


def _join(path: str, rest: str) -> str:
    return f"{path}.{rest}" if path and rest else path or rest


class _Scope(NamedTuple):
    """The module whose table is being matched, with where it stands on both sides."""

    module: nn.Module
    canonical: str
    place: _Place


class _Match(NamedTuple):
    """The longest entry of the table met so far on the way down."""

    module: nn.Module
    canonical: str
    place: _Place
    depth: int


class _Planner:
    """Walks the modules and collects the rows."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.found: list[Row] = []
        self.by_op: dict[tuple[tuple[str, ...], str], tuple[_OpPlace, list[Tensor | None]]] = {}
        self.tables: dict[int, tuple[HubNames, _Node]] = {}
        self.may_have: dict[type, bool] = {}

    def rows(self) -> list[Row]:
        self._enter(self.model, "", "", ())
        self.found += [self._op_row(rest, place, held) for (_, rest), (place, held) in self.by_op.items()]
        return self.found

    def _table(self, module: nn.Module) -> _Node | None:
        kind = type(module)
        if kind not in self.may_have:  # asking a module for what it lacks is slow
            self.may_have[kind] = hasattr(kind, "hub_names")
        table: Any = module.hub_names if self.may_have[kind] else module.__dict__.get("hub_names")
        if not table:
            return None
        if id(table) not in self.tables:
            self.tables[id(table)] = (table, _compile(type(module).__name__, table))
        return self.tables[id(table)][1]

    def _enter(self, module: nn.Module, canonical: str, place: _Place, only: tuple[str, ...]) -> None:
        """Plan what lies under ``module``, its own table first; ``only`` is a path below it to keep to."""
        table = self._table(module)
        if table is not None:
            self._match(_Scope(module, canonical, place), module, (), [(table, ())], None, only)
            return
        if not only and isinstance(place, str):  # what nearly every module is
            inner, outer = f"{canonical}." if canonical else "", f"{place}." if place else ""
            self.found += [Row((f"{inner}{n}",), (f"{outer}{n}",)) for n, _ in _tensors(module, ())]
            for name, child in module._modules.items():
                if child is not None:
                    self._enter(child, f"{inner}{name}", f"{outer}{name}", ())
            return
        for name, tensor in _tensors(module, only):
            self._emit(_join(canonical, name), _below(place, name), tensor)
        for name, child in _children(module, only):
            self._enter(child, _join(canonical, name), _below(place, name), only[1:])

    def _match(
        self,
        scope: _Scope,
        module: nn.Module,
        path: tuple[str, ...],
        states: Sequence[_State],
        best: _Match | None,
        only: tuple[str, ...],
    ) -> None:
        """Follow the table of ``scope`` down to ``module``, which lies at ``path`` below it."""
        for name, tensor in _tensors(module, only):
            entry = next(((n, s) for n, s in _advance(states, name) if n.entry is not None), None)
            if entry is not None:
                canonical = _join(scope.canonical, ".".join((*path, name)))
                self._emit(canonical, self._place(scope, entry), tensor)
            elif best is None and not path:
                self._emit(_join(scope.canonical, name), _below(scope.place, name), tensor)
            else:
                self._resume(scope, best, (*path, name))
        for name, child in _children(module, only):
            after = _advance(states, name)
            here = (*path, name)
            entry = next(((n, s) for n, s in after if n.entry is not None), None)
            longest = best
            if entry is not None:
                canonical = _join(scope.canonical, ".".join(here))
                longest = _Match(child, canonical, self._place(scope, entry), len(here))
            if any(node.literal or node.star for node, _ in after):
                self._match(scope, child, here, after, longest, only[1:])
            else:
                self._resume(scope, longest, (*here, *only[1:]))

    def _resume(self, scope: _Scope, best: _Match | None, path: tuple[str, ...]) -> None:
        """No longer entry can match ``path``: go on below the longest match, or below the first component."""
        if best is not None:
            self._enter(best.module, best.canonical, best.place, path[best.depth :])
            return
        first = path[0]
        child = scope.module._modules[first]
        assert child is not None
        self._enter(child, _join(scope.canonical, first), _below(scope.place, first), path[1:])

    def _place(self, scope: _Scope, matched: _State) -> _Place:
        node, stars = matched
        assert node.entry is not None
        value, members, index = node.entry
        if isinstance(value, str):
            return _below(scope.place, _fill(value, stars))
        base = scope.place
        if not isinstance(base, str):
            raise NameConflict(
                f"{type(scope.module).__name__}.hub_names holds {value!r}, but {scope.canonical!r} is "
                f"already inside {base.op!r}; write one operation as the source of the other"
            )
        op = value.mapped(lambda source: _join(base, _fill(source, stars)))
        return _OpPlace(op, tuple(_join(scope.canonical, _fill(m, stars)) for m in members), index)

    def _emit(self, canonical: str, place: _Place, tensor: Tensor) -> None:
        if isinstance(place, str):
            self.found.append(Row((canonical,), (place,)))
            return
        rest = canonical[len(place.members[place.member]) + 1 :]
        known, held = self.by_op.setdefault((place.members, rest), (place, [None] * len(place.members)))
        if known.suffix != place.suffix:
            raise NameConflict(
                f"{canonical} continues as {place.suffix!r} in files, {known.members[0]} as "
                f"{known.suffix!r}; the members of {place.op!r} must agree"
            )
        held[place.member] = tensor

    def _op_row(self, rest: str, place: _OpPlace, held: Sequence[Tensor | None]) -> Row:
        names = tuple(_join(member, rest) for member in place.members)
        absent = [name for name, tensor in zip(names, held, strict=True) if tensor is None]
        if absent:
            raise NameConflict(
                f"{place.op!r} joins {', '.join(names)}, but the model has no {', '.join(absent)}"
            )
        op = place.op.mapped(lambda source: _join(source, place.suffix))
        return Row(names, tuple(name for name, _ in op.leaves(shapes_of(held))), op)


def _below(place: _Place, name: str) -> _Place:
    if isinstance(place, str):
        return f"{place}.{name}" if place and name else place or name
    return place._replace(suffix=_join(place.suffix, name))


def _tensors(module: nn.Module, only: tuple[str, ...]) -> list[tuple[str, Tensor]]:
    """Own parameters and persistent buffers; with ``only``, the one it names."""
    held: list[tuple[str, Tensor | None]] = list(module._parameters.items())
    if module._buffers:
        skipped = module._non_persistent_buffers_set
        held += [(name, buffer) for name, buffer in module._buffers.items() if name not in skipped]
    return [(name, t) for name, t in held if t is not None and (not only or only == (name,))]


def _children(module: nn.Module, only: tuple[str, ...]) -> list[tuple[str, nn.Module]]:
    if only:
        child = module._modules.get(only[0])
        return [] if child is None else [(only[0], child)]
    return [(name, child) for name, child in module._modules.items() if child is not None]


def shapes_of(tensors: Sequence[Tensor | None]) -> list[Shape]:
    """The shapes of ``tensors`` as plain tuples."""
    return [tuple(tensor.shape) for tensor in tensors if tensor is not None]
