"""A model in a worker, seen from the program: building, binding weights, calls, restarts."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.errors import SandboxError
from zoo_core.modeling import outputs
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.host.bridge import Bridge, DifferentiableCall
from zoo_core.remote.host.process import Worker
from zoo_core.remote.trust import SandboxPolicy
from zoo_core.remote.wire import memory
from zoo_core.remote.wire.arena import ALIGNMENT
from zoo_core.remote.wire.codec import DTYPES, Decoder, Encoder, Opaque, check_shape
from zoo_core.remote.wire.frames import ProtocolError
from zoo_core.remote.wire.naming import decode_tables

_NAME = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+){0,63}")
_PAGE = 1000
_MOST_PARAMETERS = 1_000_000
_MOST_BYTES = 1 << 46


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter of the model as the worker describes it; ``aliases`` are its further names."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    trainable: bool
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build the model: code, config values, dtype, attention, generation settings, limits."""

    code: RemoteCode
    config_code: RemoteCode | None
    values: Mapping[str, Any]
    dtype: torch.dtype
    attention: str | None
    generation: Mapping[str, Any]
    policy: SandboxPolicy


class ModelSession:
    """One worker with one model built in it."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.worker = Worker(recipe.policy)
        for code in (recipe.code, recipe.config_code):
            if code is not None:
                self.worker.ask("import", **code.request())
        encoder = Encoder(self.worker.inbox)
        start = recipe.policy.start_deadline
        answer = self.worker.ask(
            "build",
            deadline=start,
            **{"class": recipe.code.where},
            config_class=recipe.config_code.where if recipe.config_code else None,
            config=encoder.encode(dict(recipe.values)),
            dtype=encoder.encode(recipe.dtype),
            attention=recipe.attention,
            generation=encoder.encode(dict(recipe.generation)),
        )
        self.description = _description(self._decode(answer))
        self.rows = self._table(self.description["parameters"])
        self.naming = decode_tables(self.description["naming"], {row.name: row.shape for row in self.rows})
        self._bound: list[tuple[nn.Parameter, int]] = []
        self._pushed: dict[str, tuple[int, int]] = {}
        self._trainable: tuple[str, ...] | None = None

    def close(self) -> None:
        self.worker.close()

    def _decode(self, answer: Mapping[str, Any]) -> Any:
        return Decoder(self.worker.outbox, kept=self._kept, output=_output).decode(answer.get("value"))

    def _kept(self, number: int, description: str) -> Opaque:
        found = Opaque(number, description, self.worker)
        weakref.finalize(found, self.worker.forget, number)
        return found

    def _table(self, count: int) -> list[ParameterRow]:
        rows: list[ParameterRow] = []
        names: set[str] = set()
        total = 0
        while len(rows) < count:
            page = self.worker.ask("table", start=len(rows), count=_PAGE).get("rows")
            if not isinstance(page, list) or not 0 < len(page) <= _PAGE:
                raise ProtocolError("a table of parameters with a broken page")
            for item in page:
                row, size = _row(item)
                total += size
                if total > _MOST_BYTES or not names.isdisjoint((row.name, *row.aliases)):
                    raise ProtocolError("a table of parameters that repeats names, or claims too much memory")
                names.update((row.name, *row.aliases))
                rows.append(row)
        return rows

    def buffers(self) -> tuple[dict[str, Tensor], set[str]]:
        """Every buffer with its value now, and the names of those that checkpoints hold."""
        found = self._decode(self.worker.ask("buffers"))
        values, persistent = found.get("values"), found.get("persistent")
        if not isinstance(values, dict) or not isinstance(persistent, list):
            raise ProtocolError("buffers that are no table")
        for name, value in values.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(value, Tensor):
                raise ProtocolError("a buffer that is no tensor")
        return values, {name for name in persistent if name in values}

    def initial_values(self, names: Sequence[str]) -> dict[str, Tensor]:
        """What the model's own code gives the parameters ``names``, from the program's random state."""
        sizes = {row.name: row for row in self.rows}
        found: dict[str, Tensor] = {}
        limit = self.worker.outbox.size // 2
        batches: list[list[str]] = [[]]
        size = 0
        for name in names:
            nbytes = sizes[name].dtype.itemsize * torch.Size(sizes[name].shape).numel()
            if batches[-1] and size + nbytes > limit:
                batches.append([])
                size = 0
            batches[-1].append(name)
            size += nbytes
        for index, batch in enumerate(batches):
            with self.worker.lock:
                self.worker.inbox.reset()
                encoder = Encoder(self.worker.inbox)
                answer = self.worker.ask(
                    "initial",
                    deadline=self.recipe.policy.start_deadline,
                    value=encoder.encode(batch),
                    rng=encoder.encode(torch.get_rng_state()) if index == 0 else None,
                    done=index == len(batches) - 1,
                )
                values = self._decode(answer)
            if not isinstance(values, dict) or set(values) != set(batch):
                raise ProtocolError("initial values for other parameters")
            for name, value in values.items():
                if not isinstance(value, Tensor) or tuple(value.shape) != sizes[name].shape:
                    raise ProtocolError("an initial value of another shape")
                found[name] = value
        torch.randint(1 << 31, ())  # The next model shall not start alike.
        return found

    def bind(self, parameters: Mapping[str, nn.Parameter], buffers: Mapping[str, Tensor]) -> None:
        """Move the parameters into memory that the worker sees read-only, and give it the buffers."""
        layout: dict[str, list[Any]] = {}
        end = 0
        for name, parameter in parameters.items():
            if parameter.device.type != "cpu":
                raise SandboxError(
                    f"{name} is on {parameter.device}; the sandbox computes on the CPU only for now"
                )
            layout[name] = [str(parameter.dtype).removeprefix("torch."), list(parameter.shape), end]
            end = -(-(end + parameter.numel() * parameter.element_size()) // ALIGNMENT) * ALIGNMENT
        if end:
            descriptor = self.worker.weights
            memory.resize(descriptor, end)
            mapped = memory.Mapped(descriptor, end, writable=True)
            memory.seal(descriptor, writing=True)
            for name, parameter in parameters.items():
                place = mapped.tensor(parameter.dtype, tuple(parameter.shape), layout[name][2])
                place.copy_(parameter.data)
                parameter.data = place
        self.worker.ask("bind", size=end, tensors=layout)
        self._bound = [(parameter, parameter.data_ptr()) for parameter in parameters.values()]
        self._push(buffers, everything=True)

    @property
    def stale(self) -> bool:
        """Whether the program has given a parameter other memory, as ``to(dtype)`` does."""
        return any(parameter.data_ptr() != address for parameter, address in self._bound)

    def _push(self, buffers: Mapping[str, Tensor], *, everything: bool = False) -> None:
        """Give the worker the buffers that the program has changed."""
        changed = {
            name: value
            for name, value in buffers.items()
            if everything or self._pushed.get(name) != (id(value), value._version)
        }
        if changed:
            with self.worker.lock:
                self.worker.inbox.reset()
                self.worker.ask("set_buffers", value=Encoder(self.worker.inbox).encode(changed))
        self.note_buffers(changed)

    def note_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        """Remember that the worker has these values."""
        self._pushed.update({name: (id(value), value._version) for name, value in buffers.items()})

    def call(
        self,
        method: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        training: bool,
        parameters: Mapping[str, nn.Parameter],
        buffers: Mapping[str, Tensor],
    ) -> Any:
        """Call ``method`` of the model in the worker, differentiably when gradients are enabled."""
        with self.worker.lock:
            self._push(buffers)
            grad = torch.is_grad_enabled()
            inbox = self.worker.inbox
            inbox.reset()
            encoder = Encoder(inbox, tracked=(lambda tensor: tensor.requires_grad) if grad else None)
            value = encoder.encode((args, dict(kwargs)))
            trainable = tuple(name for name, item in parameters.items() if item.requires_grad)
            inputs = [*encoder.marked, *(parameters[name] for name in trainable if grad)]
            request = {
                "method": method,
                "value": value,
                "training": training,
                "grad": bool(grad and inputs),
                "parameters": trainable if grad else (),
                "trainable": trainable if trainable != self._trainable else None,
                "rng": encoder.encode(torch.get_rng_state()) if training or method != "__call__" else None,
            }
            if not request["grad"]:
                return self._finish(request, trainable, None)
            return self._differentiable(request, trainable, inputs, parameters)

    def _finish(
        self, request: dict[str, Any], trainable: tuple[str, ...], marked: list[Tensor] | None
    ) -> Any:
        """Ask, and read the answer; tensors with gradients are added to ``marked``."""
        answer = self.worker.ask("call", graph=request.pop("graph", 0), **request)
        self._trainable = trainable
        decoder = Decoder(self.worker.outbox, kept=self._kept, output=_output)
        result = decoder.decode(answer.get("value"))
        if answer.get("drew") is True:
            torch.randint(1 << 31, ())  # The next call shall not draw the same numbers.
        if decoder.marked and marked is None:
            raise ProtocolError("gradients that were not asked for")
        if marked is not None:
            marked.extend(decoder.marked)
        return result

    def _differentiable(
        self,
        request: dict[str, Any],
        trainable: tuple[str, ...],
        inputs: list[Tensor],
        parameters: Mapping[str, nn.Parameter],
    ) -> Any:
        call = DifferentiableCall(self.worker, inputs)
        call.watch([parameters[name] for name in trainable])
        request["graph"] = call.number
        found: list[Any] = []

        def run() -> list[Tensor]:
            marked: list[Tensor] = []
            found.append(self._finish(request, trainable, marked))
            found.append(marked)
            return marked

        _, *results = Bridge.apply(call, run, *inputs)  # type: ignore[no-untyped-call]
        result, marked = found
        return _substitute(result, {id(old): new for old, new in zip(marked, results, strict=True)})


def _substitute(value: Any, results: Mapping[int, Tensor]) -> Any:
    """``value`` with the tensors that a differentiable call made of its raw ones."""
    if isinstance(value, Tensor):
        return results.get(id(value), value)
    if isinstance(value, outputs.ModelOutput):
        for key in list(value):
            value[key] = _substitute(value[key], results)
        return value
    if isinstance(value, dict):
        return {key: _substitute(item, results) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_substitute(item, results) for item in value)
    return value


def _output(name: str, fields: dict[Any, Any]) -> outputs.ModelOutput:
    """The zoo's output class of that name, or a plain one with these fields."""
    known = getattr(outputs, name, None) if name.isidentifier() else None
    is_output = isinstance(known, type) and issubclass(known, outputs.ModelOutput)
    if is_output and set(fields) <= set(known.fields):  # type: ignore[union-attr]
        return known(**fields)  # type: ignore[misc, no-any-return]
    return _plain(tuple(fields))(**fields)


_plain_classes: dict[tuple[str, ...], type[outputs.ModelOutput]] = {}


def _plain(fields: tuple[str, ...]) -> type[outputs.ModelOutput]:
    if fields not in _plain_classes:
        if len(_plain_classes) > 1000:
            raise ProtocolError("a new kind of model output with every call")
        name = f"SandboxedOutput{len(_plain_classes) or ''}"
        made: Any = type(name, (outputs.ModelOutput,), {"__module__": __name__})
        made.fields = fields
        _plain_classes[fields] = made
    return _plain_classes[fields]


def _row(item: object) -> tuple[ParameterRow, int]:
    if not isinstance(item, list) or len(item) != 5:
        raise ProtocolError("a parameter that is not described by five fields")
    name, dtype, shape, trainable, aliases = item
    if not isinstance(aliases, list) or not all(
        isinstance(x, str) and _NAME.fullmatch(x) for x in [name, *aliases]
    ):
        raise ProtocolError("a parameter without a proper name")
    if not isinstance(dtype, str) or dtype not in DTYPES or not isinstance(trainable, bool):
        raise ProtocolError("a parameter of unknown dtype")
    sizes, nbytes = check_shape(shape, DTYPES[dtype].itemsize, limit=_MOST_BYTES)
    return ParameterRow(name, DTYPES[dtype], sizes, trainable, tuple(aliases)), nbytes


def _description(value: Any) -> dict[str, Any]:
    expected = {
        "class": str, "parameters": int, "base_model_prefix": str, "main_input_name": str, "methods": list,
        "naming": dict, "modules": dict,
    }  # fmt: skip
    if not isinstance(value, dict) or set(value) != set(expected):
        raise ProtocolError("a model without a description")
    for name, kind in expected.items():
        if type(value[name]) is not kind:
            raise ProtocolError(f"a model whose {name} is of the wrong kind")
    if not 0 <= value["parameters"] <= _MOST_PARAMETERS:
        raise ProtocolError("a model with an impossible number of parameters")
    if not all(
        isinstance(x, str) for x in [*value["methods"], *value["modules"], *value["modules"].values()]
    ):
        raise ProtocolError("a model whose methods or modules have no names")
    return value
