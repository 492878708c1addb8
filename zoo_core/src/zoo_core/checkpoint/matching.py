"""Which name in the files is which tensor of the model: exact names first, then aliases and base prefixes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from zoo_core.checkpoint.names import NamePlan, Row

ALIASES: Mapping[str, str] = {
    "gamma$": "weight",
    "beta$": "bias",
    "weight_g$": "parametrizations.weight.original0",
    "weight_v$": "parametrizations.weight.original1",
    "parametrizations.weight.original0$": "weight_g",
    "parametrizations.weight.original1$": "weight_v",
}
"""Spellings of old checkpoints that are read for every model, never written."""

IGNORED = ("position_ids$", "inv_freq$", "masked_bias$")
"""Tables that old checkpoints carry and models compute; no news when a file has them."""


@dataclass(frozen=True)
class Policies:
    """What a model and the models inside it say about names in files."""

    aliases: tuple[tuple[re.Pattern[str], str], ...]
    ignored: tuple[re.Pattern[str], ...]
    keep_in_float32: tuple[re.Pattern[str], ...]
    always_float32: tuple[re.Pattern[str], ...]
    prefix: str
    ties: Mapping[str, str]

    @classmethod
    def of(cls, model: nn.Module) -> Policies:
        """Gathered from ``aliases``, ``ignored_names``, ``keep_in_float32``, ``always_float32``,
        ``base_model_prefix`` and ``all_ties()`` or ``tied_weights``."""
        aliases: dict[str, str] = {}
        ignored: list[str] = []
        always: list[str] = []
        for module in model.modules():
            aliases |= _attribute(module, "aliases", {})
            ignored += _attribute(module, "ignored_names", ())
            always += _attribute(module, "always_float32", ())
        all_ties: Any = getattr(model, "all_ties", None)
        ties = all_ties() if callable(all_ties) else getattr(model, "tied_weights", {})
        return cls(
            tuple((component_pattern(p), r) for p, r in {**aliases, **ALIASES}.items()),
            tuple(component_pattern(p) for p in dict.fromkeys((*ignored, *IGNORED))),
            tuple(component_pattern(p) for p in _attribute(model, "keep_in_float32", ())),
            tuple(component_pattern(p) for p in dict.fromkeys(always)),
            getattr(model, "base_model_prefix", "") or "",
            dict(ties),
        )

    def respelled(self, name: str) -> Iterator[str]:
        """Other spellings under which the model may know ``name``, the closest first."""
        spellings = self.aliased(name)
        yield from spellings[1:]
        if self.prefix:
            start = f"{self.prefix}."
            yield from (s.removeprefix(start) for s in spellings if s.startswith(start))
            yield from (f"{start}{s}" for s in spellings)

    def aliased(self, name: str) -> list[str]:
        """``name``, then its spellings by the aliases alone."""
        spellings = [name]
        for pattern, replacement in self.aliases:
            for known in tuple(spellings):
                found = pattern.search(known)
                if found is not None:
                    middle = f"{found[1]}{replacement}{found[2]}"
                    changed = f"{known[: found.start()]}{middle}{known[found.end() :]}".strip(".")
                    spellings += [changed] if changed not in spellings else []
        return spellings

    def ignores(self, name: str) -> bool:
        """Whether ``name`` in a file belongs to nothing and is no news."""
        return any(pattern.search(name) for pattern in self.ignored)

    def float32(self, canonical: str, dtype: torch.dtype) -> bool:
        """Whether the tensor stays in float32 when the model is loaded in ``dtype``."""
        if dtype.itemsize >= 4:
            return False
        kept = self.keep_in_float32 if dtype is torch.float16 else ()
        return any(pattern.search(canonical) for pattern in (*kept, *self.always_float32))


def _attribute(module: nn.Module, name: str, default: Any) -> Any:
    # asked of the class first: nn.Module's own look-up of what is absent is slow and finds sub-modules
    present = name in module.__dict__ or hasattr(type(module), name)
    return getattr(module, name) if present else default


def component_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a run of dotted components that may stand anywhere in a name, on component borders.

    ``*`` matches within one component; ``^`` first and ``$`` last anchor the run to the ends of the name.

    Raises:
        ValueError: a regular expression, which would match nothing.
    """
    core = pattern.removeprefix("^").removesuffix("$")
    if "\\" in core or core.startswith("."):
        raise ValueError(
            f"{pattern!r} is a regular expression; write the components, with * for any: '*bias'"
        )
    body = r"[^.]*".join(map(re.escape, core.split("*")))
    start = "^()" if pattern.startswith("^") else r"(^|\.)"
    end = "()$" if pattern.endswith("$") else r"(\.|$)"
    return re.compile(f"{start}{body}{end}")


@dataclass(frozen=True)
class Matching:
    """The answer: the name in the source of each Hub name, and what is left over."""

    plan: NamePlan
    """Of names in the source: the model's own plan, or canonical names one to one."""
    found: Mapping[str, str]
    """Hub name (of ``plan``) to the name in the source."""
    unexpected: tuple[str, ...]

    @classmethod
    def of(cls, plan: NamePlan, names: Iterable[str], policies: Policies, *, canonical: bool) -> Matching:
        """Match ``names``; with ``canonical`` they may be the model's inner names, if more of those fit."""
        names = list(names)
        if canonical:
            inner = sum(name in plan.row_of for name in names)
            if inner > sum(plan.row_of_hub(name) is not None for name in names):
                plan = NamePlan([Row((name,), (name,)) for name in plan.row_of])
        found = {name: name for name in names if plan.row_of_hub(name) is not None}
        unexpected = []
        for name in names:
            if name in found:
                continue
            known = next((s for s in policies.respelled(name) if plan.row_of_hub(s) and s not in found), None)
            if known is not None:
                found[known] = name
            elif not policies.ignores(name) and found.keys().isdisjoint(policies.aliased(name)):
                unexpected.append(name)  # not merely a second spelling of what the file has already
        return cls(plan, found, tuple(unexpected))
