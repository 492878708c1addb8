"""A Python function as the JSON schema of a tool: its signature and its docstring (Google style)."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Callable
from typing import Any

from zoo_core.errors import TokenizerError

_BASIC = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_CHOICES = re.compile(r"\(choices:\s*(.*?)\)\s*$", re.IGNORECASE)
_ARGUMENT = re.compile(r"^(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")
_SECTION = re.compile(r"^(Args|Returns|Raises):\s*$")


def tool_schema(function: Callable[..., Any]) -> dict[str, Any]:
    """The schema of ``function``, as chat templates take it.

    Raises TokenizerError when the docstring, a parameter's annotation or its description is missing.
    """
    name = function.__name__
    summary, arguments, returns = _docstring(function)
    hints = typing.get_type_hints(function)
    properties: dict[str, Any] = {}
    required = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise TokenizerError(f"Tool {name}: parameter {parameter.name!r} needs a type annotation.")
        if parameter.name not in arguments:
            raise TokenizerError(f"Tool {name}: the docstring's Args section lacks {parameter.name!r}.")
        schema = _type_schema(hints[parameter.name])
        description = arguments[parameter.name]
        choices = _CHOICES.search(description)
        if choices:
            try:
                schema["enum"] = [str(choice).strip() for choice in json.loads(choices[1])]
            except json.JSONDecodeError as error:
                raise TokenizerError(f"Tool {name}: choices of {parameter.name!r} are not JSON.") from error
            description = description[: choices.start()].strip()
        properties[parameter.name] = {**schema, "description": description}
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    described: dict[str, Any] = {"name": name, "description": summary, "parameters": parameters}
    if "return" in hints:
        described["return"] = _type_schema(hints["return"])
        if returns is not None:
            described["return"]["description"] = returns
    return {"type": "function", "function": described}


def _type_schema(hint: Any) -> dict[str, Any]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _BASIC:
        return {"type": _BASIC[hint]}
    if hint is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        return _union_schema([_type_schema(arg) for arg in args if arg is not type(None)], type(None) in args)
    if origin is typing.Literal:
        return {**_union_schema([_type_schema(type(arg)) for arg in args], False), "enum": list(args)}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_type_schema(arg) for arg in args]}
    if list in (origin, hint):
        return {"type": "array", **({"items": _type_schema(args[0])} if args else {})}
    if dict in (origin, hint):
        extra = {"additionalProperties": _type_schema(args[1])} if len(args) == 2 else {}
        return {"type": "object", **extra}
    raise TokenizerError(
        f"{hint!r} has no JSON schema; use str, int, float, bool, list, dict, tuple, Literal."
    )


def _union_schema(members: list[dict[str, Any]], nullable: bool) -> dict[str, Any]:
    unique = [member for index, member in enumerate(members) if member not in members[:index]]
    if len(unique) == 1:
        merged = dict(unique[0])
    elif all(set(member) == {"type"} for member in unique):
        merged = {"type": sorted(member["type"] for member in unique)}
    else:
        merged = {"anyOf": unique}
    return {**merged, "nullable": True} if nullable else merged


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str], str | None]:
    """Summary, description of each argument, description of the result."""
    text = inspect.getdoc(function)
    if not text:
        raise TokenizerError(f"Tool {function.__name__} needs a docstring that says what it does.")
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for line in text.splitlines():
        heading = _SECTION.match(line.strip())
        if heading:
            current = heading[1]
        sections.setdefault(current, []).append("" if heading else line)
    arguments: dict[str, str] = {}
    last = None
    for line in inspect.cleandoc("\n".join(sections.get("Args", []))).splitlines():
        found = _ARGUMENT.match(line)
        if found:
            last = found[1]
            arguments[last] = found[2].strip()
        elif last is not None:
            arguments[last] = f"{arguments[last]} {line.strip()}".strip()
    returns = (
        " ".join(line.strip() for line in sections["Returns"]).strip() if "Returns" in sections else None
    )
    return "\n".join(sections[""]).strip(), arguments, returns
