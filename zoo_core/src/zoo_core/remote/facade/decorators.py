"""Decorators and helpers that in ``transformers`` write documentation, choose kernels or rename keywords."""

from __future__ import annotations

import functools
import inspect
import logging as _logging
from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.recording import current

F = TypeVar("F", bound=Callable[..., Any])


def documented(*args: Any, **kwargs: Any) -> Any:
    """A decorator factory that changes nothing: the documentation it would write is not shown."""
    return lambda target: target


def auto_docstring(target: Any = None, **kwargs: Any) -> Any:
    """As a decorator or a decorator factory, changes nothing."""
    return target if target is not None else lambda inner: inner


def deprecate_kwarg(
    old_name: str, version: str = "", new_name: str | None = None, **kwargs: Any
) -> Callable[[F], F]:
    """Let a function still take ``old_name``: as ``new_name``, or ignored."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, **values: Any) -> Any:
            if old_name in values:
                value = values.pop(old_name)
                if new_name is not None:
                    values.setdefault(new_name, value)
            return function(*args, **values)

        return wrapper  # type: ignore[return-value]

    return decorate


def can_return_tuple(function: F) -> F:
    """Let a forward be asked for a tuple by ``return_dict=False``, whether or not it names that."""
    named = "return_dict" in inspect.signature(function).parameters

    @functools.wraps(function)
    def wrapper(self: Any, *args: Any, **values: Any) -> Any:
        wanted = values.pop("return_dict", None) if not named else values.get("return_dict")
        if named:
            values["return_dict"] = True
        output = function(self, *args, **values)
        return output.to_tuple() if wanted is False and isinstance(output, ModelOutput) else output

    return wrapper  # type: ignore[return-value]


class OutputRecorder:
    """Where a kind of output is taken from: a module class, the index in what it returns, a layer's name."""

    def __init__(
        self, target_class: type[nn.Module], index: int = 0, layer_name: str | None = None, **_: Any
    ) -> None:
        self.target_class, self.index, self.layer_name = target_class, index, layer_name


def check_model_inputs(function: Any = None, **_: Any) -> Any:
    """Collect hidden states and attentions, when asked for, where ``_can_record_outputs`` says they arise."""
    if function is None or not callable(function):
        return check_model_inputs

    @functools.wraps(function)
    def wrapper(self: Any, *args: Any, **values: Any) -> Any:
        recording = current.recording
        wanted = () if recording is None else recording.wanted
        taken: dict[str, list[Any]] = {}
        hooks = []
        for name, sources in (getattr(self, "_can_record_outputs", None) or {}).items():
            if name in wanted:
                taken[name] = []
                for source in sources if isinstance(sources, list) else [sources]:
                    hooks += _record(self, source, name, taken[name])
        try:
            output = function(self, *args, **values)
        finally:
            for hook in hooks:
                hook.remove()
        if isinstance(output, ModelOutput):
            for name, found in taken.items():
                if name == "hidden_states" and output.get("last_hidden_state") is not None:
                    found = [*found[: len(found)], output["last_hidden_state"]]
                if name in output.fields and output.get(name) is None:
                    output[name] = tuple(found)
        return output

    return wrapper


def _record(model: nn.Module, source: Any, name: str, into: list[Any]) -> list[Any]:
    recorder = (
        source
        if isinstance(source, OutputRecorder)
        else OutputRecorder(source, index=1 if "attention" in name else 0)
    )
    hooks = []
    for path, module in model.named_modules():
        if not isinstance(module, recorder.target_class):
            continue
        if recorder.layer_name is not None and recorder.layer_name not in path:
            continue
        if name == "hidden_states":
            hooks.append(module.register_forward_pre_hook(_take_input(into), with_kwargs=True))
        else:
            hooks.append(module.register_forward_hook(_take_output(into, recorder.index)))
    return hooks


def _take_input(into: list[Any]) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        into.append(args[0] if args else kwargs.get("hidden_states"))

    return hook


def _take_output(into: list[Any], index: int) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, tuple) and len(output) > index:
            into.append(output[index])

    return hook


def requires_backends(obj: Any, backends: Any) -> None:
    """Raise ``ImportError`` when a package is not installed."""
    import importlib.util

    names = [backends] if isinstance(backends, str) else list(backends)
    modules = {"vision": "PIL", "sentencepiece": "sentencepiece", "tf": "tensorflow"}
    missing = [name for name in names if importlib.util.find_spec(modules.get(name, name)) is None]
    if missing:
        label = getattr(obj, "__name__", type(obj).__name__)
        raise ImportError(f"{label} needs the packages {', '.join(missing)}")


class _Logger(_logging.LoggerAdapter[_logging.Logger]):
    """A logger with ``warning_once``, as code of repositories expects it."""

    def __init__(self, name: str) -> None:
        super().__init__(_logging.getLogger(name), {})
        self._said: set[str] = set()

    def warning_once(self, message: object, *args: Any, **kwargs: Any) -> None:
        if str(message) not in self._said:
            self._said.add(str(message))
            self.warning(message, *args, **kwargs)

    info_once = warning_once
    warning_advice = warning_once


@functools.cache
def get_logger(name: str | None = None) -> _Logger:
    """A logger below the zoo's own."""
    return _Logger(f"zoo_core.remote.code.{name or 'root'}")


def set_verbosity(*args: Any, **kwargs: Any) -> None:
    """Verbosity is the program's affair, not that of a repository's code: changes nothing."""
