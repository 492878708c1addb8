"""Chat templates: choosing one, rendering conversations, and where the assistant speaks."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo_core.errors import TokenizerError

TEMPLATE_FILE = "chat_template.jinja"
TEMPLATE_FOLDER = "additional_chat_templates"

Span = tuple[int, int]


def is_batch(conversation: Any) -> bool:
    """Whether ``conversation`` is a list of conversations rather than one."""
    if not isinstance(conversation, Sequence) or isinstance(conversation, str):
        messages = getattr(conversation, "messages", None)
        if messages is None:
            raise TokenizerError(f"A conversation is a list of messages (dicts), not {conversation!r}.")
        return False
    return bool(conversation) and (
        isinstance(conversation[0], list | tuple) or hasattr(conversation[0], "messages")
    )


def choose_template(
    templates: str | Mapping[str, str] | None, wanted: str | None, *, tools: Any, owner: str
) -> str:
    """The template to use: ``wanted`` by name, ``wanted`` as text, or the one that fits.

    With several templates and none named, ``tool_use`` is taken when tools are given, else ``default``.
    """
    if isinstance(templates, Mapping):
        if wanted is not None:
            return templates.get(wanted, wanted)
        if tools is not None and "tool_use" in templates:
            return templates["tool_use"]
        if "default" in templates:
            return templates["default"]
        names = ", ".join(sorted(templates))
        raise TokenizerError(
            f"{owner} has several chat templates and no default: pass chat_template= one of {names}."
        )
    chosen = wanted if wanted is not None else templates
    if chosen is None:
        raise TokenizerError(
            f"{owner} has no chat template: set tokenizer.chat_template or pass chat_template=."
        )
    return chosen


def templates_from_config(value: Any) -> str | dict[str, str] | None:
    """``chat_template`` of a JSON file: text, or a list of ``{"name", "template"}``."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values()):
        return dict(value)
    if isinstance(value, list) and all(
        isinstance(item, Mapping)
        and isinstance(item.get("name"), str)
        and isinstance(item.get("template"), str)
        for item in value
    ):
        return {item["name"]: item["template"] for item in value}
    raise TokenizerError(
        f'chat_template is a string or a list of {{"name": …, "template": …}}, not {value!r:.80}.'
    )


def save_templates(templates: str | Mapping[str, str] | None, folder: Path, prefix: str = "") -> list[Path]:
    """Write the default template and the named ones as Jinja files; returns what was written."""
    named = {"default": templates} if isinstance(templates, str) else dict(templates or {})
    written = []
    for name, text in named.items():
        if name == "default":
            path = folder / f"{prefix}{TEMPLATE_FILE}"
        else:
            if not name.replace("-", "_").replace(".", "_").isidentifier():
                raise TokenizerError(f"A chat template's name becomes a file name: {name!r} cannot.")
            path = folder / TEMPLATE_FOLDER / f"{name}.jinja"
            path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def render_chats(
    conversations: Sequence[Any],
    template: str,
    *,
    tools: Sequence[Any] | None = None,
    documents: Sequence[Any] | None = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool = False,
    mark_assistant: bool = False,
    variables: Mapping[str, Any] | None = None,
) -> tuple[list[str], list[list[Span]]]:
    """Each conversation as text, and the character spans that ``{% generation %}`` blocks produced.

    Raises TokenizerError when the template is wrong, refuses the conversation, or exceeds its budget.
    """
    if continue_final_message and add_generation_prompt:
        raise TokenizerError("continue_final_message and add_generation_prompt exclude each other.")
    shared: dict[str, Any] = {
        **(variables or {}),
        "tools": _tool_schemas(tools),
        "documents": _checked_documents(documents),
        "add_generation_prompt": add_generation_prompt,
    }
    if mark_assistant:
        nonce = secrets.token_hex(8)
        shared["_generation_marks"] = (f"\x00{nonce}<", f"\x00{nonce}>")
    texts, spans = [], []
    for conversation in conversations:
        messages = list(getattr(conversation, "messages", conversation))
        text = _render(template, {**shared, "messages": messages})
        text, found = _strip_marks(text, *shared["_generation_marks"]) if mark_assistant else (text, [])
        if continue_final_message:
            text = _cut_after_final_message(text, messages)
        texts.append(text)
        spans.append(found)
    return texts, spans


def _render(template: str, variables: dict[str, Any]) -> str:
    from jinja2.exceptions import TemplateError

    from zoo_core.tokenization.sandbox import render

    try:
        return render(template, variables)
    except TemplateError as error:
        raise TokenizerError(f"The chat template failed: {error}") from error
    except Exception as error:  # the template's own mistake, of whatever type
        raise TokenizerError(
            f"The chat template failed with {type(error).__name__} on these messages: {error}"
        ) from error


def _tool_schemas(tools: Sequence[Any] | None) -> list[dict[str, Any]] | None:
    if tools is None:
        return None
    from zoo_core.tokenization.tool_schema import tool_schema

    schemas = []
    for tool in tools:
        if isinstance(tool, Mapping):
            schemas.append(dict(tool))
        elif callable(tool):
            schemas.append(tool_schema(tool))
        else:
            raise TokenizerError(f"A tool is a JSON schema (dict) or a documented function, not {tool!r}.")
    return schemas


def _checked_documents(documents: Sequence[Any] | None) -> list[Any] | None:
    if documents is None:
        return None
    for document in documents:
        if not isinstance(document, Mapping):
            raise TokenizerError(f'A document is a dict with "title" and "text", not {document!r:.80}.')
    return list(documents)


def _strip_marks(text: str, start: str, end: str) -> tuple[str, list[Span]]:
    """``text`` without its marks, and the spans between them."""
    pieces, spans, length = [], [], 0
    head, *marked = text.split(start)
    pieces.append(head)
    length += len(head)
    for part in marked:
        inside, _, after = part.partition(end)
        spans.append((length, length + len(inside)))
        pieces += [inside, after]
        length += len(inside) + len(after)
    return "".join(pieces), spans


def _cut_after_final_message(text: str, messages: list[Any]) -> str:
    """``text`` up to the end of the last message, so that the model goes on with it."""
    content = messages[-1].get("content") if messages and isinstance(messages[-1], Mapping) else None
    if isinstance(content, list | tuple):
        texts = [part["text"] for part in content if isinstance(part, Mapping) and "text" in part]
        content = texts[-1] if texts else None
    if not isinstance(content, str):
        raise TokenizerError("continue_final_message needs a last message with text content.")
    position = text.rfind(content.strip())
    if position < 0:
        raise TokenizerError(
            "continue_final_message: the last message does not stand in the rendered chat, "
            "because the template changes it."
        )
    kept = content.lstrip()
    end = position + len(kept if text.startswith(kept, position) else content.strip())
    return text[:end]
