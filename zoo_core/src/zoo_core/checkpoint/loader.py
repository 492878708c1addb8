"""Weights from a source into a model: planned and checked from headers, then read tensor by tensor."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.initialise import Initialiser, Rebuild
from zoo_core.checkpoint.matching import Matching, Policies
from zoo_core.checkpoint.memory import available_memory, human
from zoo_core.checkpoint.names import NamePlan, Row
from zoo_core.checkpoint.report import LoadReport, Shape, mismatch_message
from zoo_core.checkpoint.slots import Slot, slots, tie_groups
from zoo_core.checkpoint.sources import CODES, WeightSource
from zoo_core.errors import CheckpointError, UninitializedWeights, WeightsMismatch

logger = logging.getLogger("zoo_core.checkpoint")

Convert = Callable[[str, Tensor], Tensor]


def load_weights(
    model: nn.Module,
    source: WeightSource,
    *,
    dtype: torch.dtype | None = None,
    strict: bool = False,
    ignore_mismatched_sizes: bool = False,
    device: torch.device | str | None = None,
    rebuild: Rebuild | None = None,
    convert: Convert | None = None,
    log: bool = True,
) -> LoadReport:
    """Fill ``model``, best made within ``skeleton(dtype)``, from ``source``.

    dtype: of all floating-point parameters and persistent buffers, except those that the model keeps in
        float32; what each already has when None. Computed buffers keep theirs.
    strict: missing and unexpected names are an error.
    ignore_mismatched_sizes: initialise weights of other shapes anew instead of raising.
    rebuild: makes the model again, for buffers that a constructor computes on uninitialised memory;
        ``type(model)(model.config)`` when not given.
    convert: makes what the model shall hold of each tensor that was read, given its canonical name.
    log: say once, as a warning of the logger ``zoo_core.checkpoint``, what was initialised or not used.

    Tensors whose name alone changes share memory with the mapped file. All checks run on headers before
    anything is read. Raises WeightsMismatch, UninitializedWeights or another CheckpointError; the model is
    then of no use. Several loads may run in threads.
    """
    return _Load(
        model,
        source,
        dtype=dtype,
        strict=strict,
        lax_shapes=ignore_mismatched_sizes,
        device=device,
        rebuild=rebuild,
        convert=convert,
    ).run(log)


@dataclass
class _Job:
    """One row of the plan that the source can serve, and the slots that it fills."""

    row: Row
    targets: list[Slot]
    shapes: list[Shape]
    dtypes: list[torch.dtype]
    first: int
    """Position in the source of its first tensor."""


@dataclass
class _Sorted:
    jobs: list[_Job] = field(default_factory=list)
    missing: list[Slot] = field(default_factory=list)
    mismatched: dict[str, tuple[Shape, Shape]] = field(default_factory=dict)
    missing_names: list[str] = field(default_factory=list)


class _Load:
    """The state of one load."""

    def __init__(
        self,
        model: nn.Module,
        source: WeightSource,
        *,
        dtype: torch.dtype | None,
        strict: bool,
        lax_shapes: bool,
        device: torch.device | str | None,
        rebuild: Rebuild | None,
        convert: Convert | None,
    ) -> None:
        self.model, self.source, self.dtype = model, source, dtype
        self.strict, self.lax_shapes, self.device = strict, lax_shapes, device
        self.rebuild, self.convert = rebuild or _from_config(model), convert
        self.report = LoadReport()
        self.clock = time.perf_counter()

    def run(self, log: bool) -> LoadReport:
        self.policies = Policies.of(self.model)
        self.slots = slots(self.model)
        self.aliases = tie_groups(self.slots, dict(self.policies.ties))
        self.plan = NamePlan.of(self.model)
        self.match = Matching.of(
            self.plan, self.source.tensors, self.policies, canonical=self.source.names_canonical
        )
        self.positions = {name: i for i, name in enumerate(self.source.tensors)}
        sorted_rows = self._sort()
        self._refuse(sorted_rows)
        self._lap("plan")
        if self.convert is None:
            self._check_memory(sorted_rows)
        self.before = {path: slot.tensor for path, slot in self.slots.items()}
        initialiser = Initialiser(self.model, self.rebuild)
        initialiser.parameters((s for s in sorted_rows.missing if s.parameter), self._dtype_of)
        self._lap("initialise")
        jobs = sorted(sorted_rows.jobs, key=lambda job: job.first)
        loaded = {slot.path: tensor for job in jobs for slot, tensor in self._read(job)}
        self._lap("read")
        self._commit(loaded, initialiser)
        self._lap("commit")
        for path, how in initialiser.how.items():
            self.report.initialised[self.plan.hub(path)] = how
        self._log(log)
        return self.report

    def _lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.report.timings[stage] = now - self.clock
        self.clock = now

    # Sorting rows

    def _sort(self) -> _Sorted:
        """Which rows the source serves, which are missing, which have another shape."""
        result = _Sorted()
        alias_rows: dict[str, list[Row]] = {}
        for row in self.match.plan.rows:
            owners = [self.aliases.get(name, name) for name in row.canonical]
            if owners != list(row.canonical):
                for name, owner in zip(row.canonical, owners, strict=True):
                    if name != owner and len(row.canonical) == 1:
                        alias_rows.setdefault(owner, []).append(row)
        for row in self.match.plan.rows:
            if any(name in self.aliases for name in row.canonical):
                continue
            candidates = [row]
            if len(row.canonical) == 1:
                candidates += alias_rows.get(row.canonical[0], [])
            served = next((r for r in candidates if all(hub in self.match.found for hub in r.hub)), None)
            self._place(result, row, served)
        return result

    def _place(self, result: _Sorted, row: Row, served: Row | None) -> None:
        targets = [self.slots[name] for name in row.canonical]
        shapes = [tuple(slot.tensor.shape) for slot in targets]
        if served is None:
            result.missing += targets
            optional = all(self.policies.ignores(hub) for hub in row.hub)
            computed = all(
                not s.parameter and not s.tensor.is_meta and (optional or not s.tensor.is_floating_point())
                for s in targets
            )
            if not computed:
                result.missing_names += self._absent(row)
            return
        wrong = {}
        expected = [(served.hub[0], shapes[0])] if served.op is None else served.op.leaves(shapes)
        first = len(self.positions)
        for hub, shape in expected:
            name = self.match.found[hub]
            first = min(first, self.positions[name])
            if self.source.tensors[name].shape != tuple(shape):
                wrong[self._spelled(served, hub)] = (self.source.tensors[name].shape, tuple(shape))
        if wrong:
            result.mismatched |= wrong
            result.missing += targets
            return
        result.jobs.append(_Job(served, targets, shapes, [self._dtype_of(s) for s in targets], first))

    def _absent(self, row: Row) -> list[str]:
        if self.match.plan is self.plan:
            return [hub for hub in row.hub if hub not in self.match.found]
        return [self._spelled(row, hub) for hub in row.hub if hub not in self.match.found]

    def _spelled(self, row: Row, hub: str) -> str:
        """The Hub spelling of a name of the plan that was matched."""
        return hub if self.match.plan is self.plan else self.plan.hub(row.canonical[0])

    def _dtype_of(self, slot: Slot) -> torch.dtype:
        """What the slot shall hold."""
        tensor = slot.tensor
        if self.dtype is None or not tensor.is_floating_point():
            return tensor.dtype
        if self.policies.float32(slot.path, self.dtype):
            return torch.float32
        return self.dtype

    def _refuse(self, result: _Sorted) -> None:
        """Raise for shapes, and in strict mode for names, that do not fit; else note them."""
        name = type(self.model).__name__
        if result.mismatched and not self.lax_shapes:
            raise WeightsMismatch(mismatch_message(name, self.source.description, result.mismatched))
        self.report.mismatched_keys = [(n, f, m) for n, (f, m) in result.mismatched.items()]
        self.report.missing_keys = result.missing_names
        self.report.unexpected_keys = list(self.match.unexpected)
        if self.strict and (self.report.missing_keys or self.report.unexpected_keys):
            raise WeightsMismatch(
                f"{name} and {self.source.description} do not have the same weights. "
                f"Missing: {_shown(self.report.missing_keys)}. "
                f"Unexpected: {_shown(self.report.unexpected_keys)}. "
                "Pass strict=False to initialise what is missing and to leave out what is not used."
            )

    def _check_memory(self, result: _Sorted) -> None:
        """Refuse before allocating what cannot be allocated."""
        needed = [
            (s, s.tensor.numel() * self._dtype_of(s).itemsize) for s in result.missing if s.tensor.is_meta
        ]
        for job in result.jobs:
            if job.row.op is not None or self._codes(job) != [CODES.get(d) for d in job.dtypes]:
                sizes = zip(job.targets, job.dtypes, strict=True)
                needed += [(slot, slot.tensor.numel() * dtype.itemsize) for slot, dtype in sizes]
        total, room = sum(size for _, size in needed), available_memory()
        if room is None or total <= room:
            return
        file = sum(info.nbytes for info in self.source.tensors.values())
        largest = sorted(needed, key=lambda pair: -pair[1])[:3]
        shown = "; ".join(
            f"{self.plan.hub(s.path)} {list(s.tensor.shape)}, {human(size)}" for s, size in largest
        )
        raise CheckpointError(
            f"{type(self.model).__name__} needs {human(total)} of new memory and {human(room)} are "
            f"available; {self.source.description} holds {human(file)}. Largest: {shown}. Where the file has "
            "no such weights, a size in the config is wrong; else load in a smaller dtype "
            "(dtype=torch.bfloat16)."
        )

    def _codes(self, job: _Job) -> list[str]:
        return [self.source.tensors[self.match.found[hub]].dtype for hub in job.row.hub]

    # Reading

    def _read(self, job: _Job) -> Iterator[tuple[Slot, Tensor]]:
        op = job.row.op
        keep = op is None or not op.copies_memory()
        if keep:
            wanted = {CODES.get(dtype) for dtype in job.dtypes}
            keep = set(self._codes(job)) == wanted and self.device is None

        def read(hub: str) -> Tensor:
            return self.source.read(self.match.found[hub], keep=keep)

        tensors = [read(job.row.hub[0])] if op is None else op.from_hub(read, job.shapes)
        for slot, tensor, dtype, shape in zip(job.targets, tensors, job.dtypes, job.shapes, strict=True):
            made = tensor.to(device=self.device, dtype=dtype).contiguous()
            if tuple(made.shape) != shape:
                raise CheckpointError(
                    f"{op!r} made {list(made.shape)} for {slot.path}, which has {list(shape)}"
                )
            if self._shared(job) and made.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr():
                made = made.clone()
            yield slot, made if self.convert is None else self.convert(slot.path, made)

    def _shared(self, job: _Job) -> bool:
        return any(self.source.shared(self.match.found[hub]) for hub in job.row.hub)

    def _commit(self, loaded: Mapping[str, Tensor], initialiser: Initialiser) -> None:
        """Put everything in its place, tie, and prove that nothing is left without memory."""
        for path, tensor in loaded.items():
            self.slots[path].put(tensor)
        initialiser.buffers(self.slots.values())
        for path, slot in self.slots.items():
            if path not in loaded and path not in self.aliases and not slot.tensor.is_meta:
                dtype = self._dtype_of(slot) if slot.persistent else slot.tensor.dtype
                tensor = slot.tensor.detach().to(device=self.device, dtype=dtype)
                if tensor.dtype != slot.tensor.dtype or tensor.device != slot.tensor.device:
                    slot.put(tensor)
        for alias, owner in self.aliases.items():
            self.slots[alias].put(self.slots[owner].tensor)
        initialiser.attributes({id(old): (old, self.slots[path]) for path, old in self.before.items()})
        initialiser.refuse()
        left = [path for path, slot in self.slots.items() if slot.tensor.is_meta]
        if left:
            raise UninitializedWeights(f"{type(self.model).__name__}: no values for {_shown(left)}")

    def _log(self, log: bool) -> None:
        report = self.report
        if log and (report.missing_keys or report.mismatched_keys or report.unexpected_keys):
            level = logging.WARNING if report.missing_keys or report.mismatched_keys else logging.INFO
            logger.log(level, report.summary(type(self.model).__name__, self.source.description))


def _from_config(model: nn.Module) -> Rebuild | None:
    config = getattr(model, "config", None)
    cls: Callable[[object], nn.Module] = type(model)
    return None if config is None else lambda: cls(config)


def _shown(names: list[str], limit: int = 10) -> str:
    if not names:
        return "none"
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
