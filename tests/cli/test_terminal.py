"""Colours and tables: for people in a terminal, plain in a pipe, safe with text from strangers."""

from __future__ import annotations

import io

import pytest

from zoo_core.cli.terminal import Terminal, clean, display_width, quantity, size


def test_a_pipe_gets_no_escapes() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.heading("Title")
    terminal.table([(terminal.style("a", "red"), "b")], headers=("first", "second"))
    assert stream.getvalue() == "\nTitle\n  first  second\n  a      b\n"


def test_a_terminal_gets_colours(screen) -> None:
    terminal, stream = screen()
    terminal.heading("Title")
    assert "\x1b[1mTitle\x1b[0m" in stream.getvalue()


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_the_environment_turns_colours_off(screen, monkeypatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    terminal, _ = screen()
    monkeypatch.setenv(variable, value)
    assert not Terminal(terminal.stream).color


def test_force_color_reaches_a_pipe(monkeypatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert Terminal(io.StringIO()).color


def test_the_last_column_wraps_in_a_terminal_and_keeps_its_colour(screen) -> None:
    terminal, stream = screen(40)
    terminal.table([("name", terminal.style("word " * 12, "red"))])
    lines = stream.getvalue().splitlines()
    assert len(lines) > 1
    assert all("\x1b[31m" in line and line.endswith("\x1b[0m") for line in lines)
    assert all(display_width(line) <= 40 for line in lines)


def test_numbers_stand_to_the_right() -> None:
    stream = io.StringIO()
    Terminal(stream).table([("a", 5), ("b", 1234)], headers=("name", "n"), right=(1,))
    assert stream.getvalue().splitlines() == ["  name     n", "  a        5", "  b     1234"]


@pytest.mark.parametrize(
    "text",
    ["\x1b]0;title\x07", "\x1b[2J", "\x1b[8mhidden", "\x9b31m", "a\rb", "\u202egnp.exe", "\x00", "\x1b"],
)
def test_control_characters_of_strangers_are_shown_not_obeyed(text: str) -> None:
    shown = clean(text)
    assert "�" in shown
    assert not set(shown) & {"\x1b", "\x9b", "\r", "\x07", "\x00", "\u202e"}


def test_our_styles_pass(screen) -> None:
    terminal, _ = screen()
    styled = terminal.style("x", "bold", "green")
    assert clean(styled) == styled


def test_wide_characters_take_two_columns() -> None:
    assert display_width("日本") == 4
    assert display_width("e\u0301") == 1


def test_an_ascii_stream_loses_signs_but_no_lines() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    terminal = Terminal(stream)
    terminal.line(f"{terminal.symbol('ok')} é")
    stream.flush()
    assert stream.buffer.getvalue() == b"ok ?\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (90_868_376, "86.7 MiB"), (2**41, "2.00 TiB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("count", "text"), [(7, "7"), (22_713_216, "22.7 M"), (8_030_261_248, "8.03 B")])
def test_quantities(count: int, text: str) -> None:
    assert quantity(count) == text
