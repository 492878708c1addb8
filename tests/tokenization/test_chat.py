"""Chat templates: what is rendered, chosen, marked, refused and bounded."""

from __future__ import annotations

import time

import pytest

from zoo_core.errors import TokenizerError

CHAT = [{"role": "user", "content": "a b"}, {"role": "assistant", "content": "hello world"}]
TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'assistant' %}c {% generation %}{{ m.content }} fox"
    "{% endgeneration %}{% else %}d {{ m.content }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}c{% endif %}"
)


def weather(city: str, days: int = 3, unit: str | None = None) -> str:
    """Tell the weather.

    Args:
        city: A city,
            by name.
        days: How many (choices: [1, 3])
        unit: Celsius or Kelvin

    Returns:
        A forecast
    """
    return f"{city} {days} {unit}"


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "A city, by name."},
                "days": {"type": "integer", "enum": ["1", "3"], "description": "How many"},
                "unit": {"type": "string", "nullable": True, "description": "Celsius or Kelvin"},
            },
            "required": ["city"],
        },
        "return": {"type": "string", "description": "A forecast"},
    },
}


@pytest.fixture
def chatty(bert):
    bert.chat_template = TEMPLATE
    return bert


def test_text_ids_and_batches(chatty) -> None:
    text = "d a b\nc hello world fox\n"
    assert chatty.apply_chat_template(CHAT, tokenize=False) == text
    assert chatty.apply_chat_template([CHAT, CHAT], tokenize=False) == [text, text]
    assert chatty.apply_chat_template(CHAT) == [8, 5, 6, 7, 15, 16, 19]
    assert chatty.apply_chat_template(CHAT, return_tensors="np").shape == (1, 7)
    assert chatty.apply_chat_template(CHAT, add_generation_prompt=True, tokenize=False).endswith("fox\nc")
    assert (
        chatty.apply_chat_template(CHAT, continue_final_message=True, tokenize=False)
        == "d a b\nc hello world"
    )


def test_what_the_assistant_said_is_marked(chatty) -> None:
    encoded = chatty.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    assert encoded["assistant_masks"] == [0, 0, 0, 0, 1, 1, 1]
    batch = chatty.apply_chat_template(
        [CHAT, CHAT[:1]], return_dict=True, return_assistant_tokens_mask=True, padding=True
    )
    assert batch["assistant_masks"] == [[0, 0, 0, 0, 1, 1, 1], [0] * 7]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ messages[0] | tojson }}", '{"role": "user", "content": "a b"}'),
        ("{{ 'é<&' | tojson }}", '"é<&"'),
        ("{{ strftime_now('%Y') | length }}", "4"),
        ("{{ cls_token }}{{ extra }}", "[CLS]!"),
        (
            "  {% for m in messages %}\n{% if loop.first %}{% continue %}{% endif %}\n"
            "{{ loop.index }}{% endfor %}",
            "2",
        ),
        (
            "{% for m in messages | selectattr('role', 'equalto', 'user') %}{{ loop.last }}{% endfor %}",
            "True",
        ),
        (
            "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}"
            "{{ ns.n }}",
            "2",
        ),
        ("{{ 'a' ~ 1 ~ ('b' ~ 2) }}{{ ['x', 'y'] | join('-') }}{{ 'aXa'.replace('X', 'y') }}", "a1b2x-yaya"),
    ],
)
def test_what_templates_can_use(bert, template, expected) -> None:
    assert bert.apply_chat_template(CHAT, chat_template=template, tokenize=False, extra="!") == expected


def test_choosing_among_templates(bert) -> None:
    bert.chat_template = {"default": "D", "tool_use": "T", "rag": "R"}
    assert bert.apply_chat_template(CHAT, tokenize=False) == "D"
    assert bert.apply_chat_template(CHAT, tools=[weather], tokenize=False) == "T"
    assert bert.apply_chat_template(CHAT, chat_template="rag", tokenize=False) == "R"
    bert.chat_template = {"a": "A", "b": "B"}
    with pytest.raises(TokenizerError, match="one of a, b"):
        bert.get_chat_template()


def test_functions_become_schemas(bert) -> None:
    import json

    text = bert.apply_chat_template(
        CHAT, tools=[weather], chat_template="{{ tools[0] | tojson }}", tokenize=False
    )
    assert json.loads(text) == WEATHER


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"chat_template": None}, "no chat template"),
        ({"chat_template": "{{ raise_exception('roles must alternate') }}"}, "roles must alternate"),
        ({"chat_template": "{% for"}, "unexpected"),
        ({"chat_template": "{{ messages.append(1) }}"}, "unsafe"),
        ({"chat_template": "{{ ''.__class__.__mro__ }}"}, "unsafe"),
        ({"chat_template": "{{ messages[0].content + 1 }}"}, "TypeError"),
        ({"chat_template": "x", "tools": ["weather"]}, "documented function"),
        ({"chat_template": "x", "documents": ["text"]}, "dict"),
        ({"chat_template": "x", "continue_final_message": True}, "does not stand"),
        ({"chat_template": "x", "continue_final_message": True, "add_generation_prompt": True}, "exclude"),
        ({"chat_template": "x", "return_dict": True}, "choose one"),
        ({"chat_template": "x", "tokenize": True, "return_assistant_tokens_mask": True}, "return_dict=True"),
    ],
)
def test_refusals(bert, kwargs, words) -> None:
    with pytest.raises(TokenizerError, match=words):
        bert.apply_chat_template(CHAT, **{"tokenize": False, **kwargs})


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{{ 'a' * 10**12 }}",
        "{{ 'a' * 99999999999 }}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(40) %}"
        "{% set ns.s = ns.s.replace('a', ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(40) %}"
        "{% set ns.s = ns.s | replace('a', ns.s) %}{% endfor %}",
        "{{ 'a' | center(10000000000) }}",
        "{{ '%010000000000d' | format(1) }}",
        "{{ '%010000000000d' % 1 }}",
        "{{ '{:>10000000000}'.format('a') }}",
        "{{ 'a'.ljust(10000000000) }}",
        "{{ 9**9**9 }}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ ([messages] * 9999999) | join(',') }}",
    ],
)
def test_a_hostile_template_ends_soon(bert, template) -> None:
    start = time.perf_counter()
    with pytest.raises(TokenizerError):
        bert.apply_chat_template(CHAT, chat_template=template, tokenize=False)
    assert time.perf_counter() - start < 5
