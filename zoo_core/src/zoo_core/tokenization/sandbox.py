"""The Jinja environment of chat templates: immutable, sandboxed, and bounded in time and memory.

A template comes from a checkpoint, so it is hostile until shown otherwise. Jinja's own sandbox keeps it from
attributes and mutation; the budget here keeps it from running for ever or filling memory.
"""

from __future__ import annotations

import contextvars
import functools
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_STEPS = 300_000
"""Loop turns and calls per rendering."""
MAX_CHARS = 1 << 26
"""Characters that one rendering may build, intermediate strings included."""

_SIZED_FILTERS = ("batch", "center", "format", "indent", "slice", "wordwrap")
_HUGE_WIDTH = re.compile(r"\d{7,}")


class Budget:
    """What one rendering may still spend."""

    def __init__(self) -> None:
        self.steps, self.chars = MAX_STEPS, MAX_CHARS

    def step(self, count: int = 1) -> None:
        self.steps -= count
        if self.steps < 0:
            raise TemplateError(f"the template takes more than {MAX_STEPS:,} loop turns and calls")

    def build(self, count: int) -> None:
        self.chars -= count
        if self.chars < 0:
            raise TemplateError(f"the template builds more than {MAX_CHARS:,} characters")


_current: contextvars.ContextVar[Budget] = contextvars.ContextVar("chat_template_budget")


def _refuse_huge(values: Iterable[Any]) -> None:
    """Widths and counts large enough to fill memory in one call."""
    for value in values:
        if isinstance(value, int) and abs(value) > MAX_STEPS:
            raise TemplateError(f"the template asks for a width or count of {value:,}")


def _each(value: Any) -> Any:
    """``value`` of a for loop, its length charged; lazy values are made a list of bounded length."""
    budget = _current.get()
    if not hasattr(value, "__len__"):
        value = list(islice(value, budget.steps + 1)) if hasattr(value, "__iter__") else value
    if hasattr(value, "__len__"):
        budget.step(len(value))
    return value


def _concat(parts: list[Any]) -> str:
    texts = [str(part) for part in parts]
    _current.get().build(sum(map(len, texts)))
    return "".join(texts)


def _replaced_size(text: str, old: str, new: str) -> int:
    return len(text) + text.count(old) * len(new)


def _bounded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        values = [*args, *kwargs.values()]
        _refuse_huge(values)
        texts = [value for value in values if isinstance(value, str)]
        if name == "format" and any(_HUGE_WIDTH.search(text) for text in texts):
            raise TemplateError("the template formats with a huge width")
        if name == "replace" and len(texts) >= 3:
            _current.get().build(_replaced_size(texts[0], texts[1], texts[2]))
        result = function(*args, **kwargs)
        if isinstance(result, str):
            _current.get().build(len(result))
        return result

    return call


def _bounded_join(join: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(join)
    def call(context: Any, value: Any, d: str = "", attribute: Any = None) -> Any:
        items = list(_each(value))
        _current.get().build(sum(len(str(item)) + len(d) for item in items) if attribute is None else 0)
        return join(context, items, d, attribute)

    return call


class GenerationBlock(Extension):
    """``{% generation %}…{% endgeneration %}`` marks what the assistant wrote."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        block = nodes.CallBlock(self.call_method("_mark", [nodes.ContextReference()]), [], [], body)
        return block.set_lineno(line)

    def _mark(self, context: Any, caller: Callable[[], str]) -> str:
        marks: tuple[str, str] = context.get("_generation_marks") or ("", "")
        return f"{marks[0]}{caller()}{marks[1]}"


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with ``tojson``, ``raise_exception``, ``strftime_now``, loop controls and a budget."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[GenerationBlock, loopcontrols])
        self.filters["tojson"] = to_json
        self.filters["_each"] = _each
        self.filters["_concat"] = _concat
        for name in (*_SIZED_FILTERS, "replace"):
            self.filters[name] = _bounded(self.filters[name], name)
        self.filters["join"] = _bounded_join(self.filters["join"])
        self.globals.pop("lipsum", None)
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = _strftime_now

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Loops and ``~`` go through the budget: their operands are wrapped in the parsed tree."""
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "_each", [], [], None, None, lineno=loop.lineno)
        _wrap_concat(tree)
        return tree

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        _current.get().step()
        method = getattr(obj, "__wrapped__", obj)  # Jinja wraps str.format
        owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
        if isinstance(owner, str):
            _refuse_huge([*args, *kwargs.values()])
            if name == "replace" and len(args) >= 2:
                _current.get().build(_replaced_size(owner, str(args[0]), str(args[1])))
            elif name == "join" and args:
                args = (_each(args[0]), *args[1:])
                _current.get().build(sum(len(str(item)) + len(owner) for item in args[0]))
            elif name in ("format", "format_map") and _HUGE_WIDTH.search(owner):
                raise TemplateError("the template formats with a huge width")
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(side) for side in (left, right) if hasattr(side, "__len__")]
        counts = [side for side in (left, right) if isinstance(side, int)]
        budget = _current.get()
        if operator == "+":
            budget.build(sum(sizes))
        elif operator == "*" and sizes:
            budget.build(sizes[0] * max(0, *counts, 0))
        elif operator in ("*", "**") and any(
            abs(count) >= 1 << (64 if operator == "*" else 6) for count in counts
        ):
            raise TemplateError("the template computes with huge numbers")
        elif operator == "%" and isinstance(left, str):
            values = right if isinstance(right, tuple) else (right,)
            _refuse_huge(value for value in values if "*" in left)
            if _HUGE_WIDTH.search(left):
                raise TemplateError("the template formats with a huge width")
        return super().call_binop(context, operator, left, right)


def _wrap_concat(node: nodes.Node) -> None:
    for name, value in node.iter_fields():
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, nodes.Node):
                continue
            _wrap_concat(child)
            if isinstance(child, nodes.Concat):
                parts = nodes.List(child.nodes, lineno=child.lineno)
                wrapped = nodes.Filter(parts, "_concat", [], [], None, None, lineno=child.lineno)
                if isinstance(value, list):
                    value[index] = wrapped
                else:
                    setattr(node, name, wrapped)


def to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON without HTML escapes: what models were trained on."""
    if isinstance(indent, int):
        _refuse_huge([indent * 1000])
    text = json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )
    _current.get().build(len(text))
    return text


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(pattern: str) -> str:
    return datetime.now().strftime(pattern)


@functools.cache
def environment() -> ChatEnvironment:
    """The one environment; templates share nothing but its filters."""
    return ChatEnvironment()


@functools.lru_cache(maxsize=64)
def compiled(template: str) -> Any:
    """``template`` compiled; the most recent ones are kept."""
    return environment().from_string(template)


def render(template: str, variables: dict[str, Any]) -> str:
    """``template`` with ``variables``. Raises what Jinja raises, and TemplateError beyond the budget."""
    budget = Budget()
    token = _current.set(budget)
    try:
        pieces = []
        for piece in compiled(template).generate(variables):
            budget.build(len(piece))
            pieces.append(piece)
        return "".join(pieces)
    finally:
        _current.reset(token)
