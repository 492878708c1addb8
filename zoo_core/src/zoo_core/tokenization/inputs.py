"""What callers pass as text, made one list."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import TokenizerError

_FORMS = (
    "text is a str, a list of str (a batch), or with is_split_into_words=True a list of words or a list of "
    "such lists"
)


def read_inputs(text: Any, text_pair: Any, *, is_split_into_words: bool) -> tuple[list[Any], bool]:
    """``(inputs, single)``: each input a text or a pair of texts, a text being a str or a list of words."""
    if is_split_into_words:
        single = _is_list(text) and (not text or isinstance(text[0], str))
        if not _is_list(text):
            raise TokenizerError(f"is_split_into_words=True takes lists of words, not {text!r:.80}.")
    else:
        single = isinstance(text, str)
        if not single and not _is_list(text):
            raise TokenizerError(f"{_FORMS}; not {type(text).__name__}: {text!r:.80}.")
    if single:
        first = _text(text, is_split_into_words, 0)
        return [first if text_pair is None else (first, _text(text_pair, is_split_into_words, 0))], True
    if text_pair is None:
        return [_item(item, is_split_into_words, row) for row, item in enumerate(text)], False
    if not _is_list(text_pair):
        raise TokenizerError("A batch of texts takes a batch of second texts: text_pair must be a list too.")
    if len(text) != len(text_pair):
        raise TokenizerError(f"{len(text)} texts and {len(text_pair)} second texts do not pair up.")
    pairs = zip(text, text_pair, strict=True)
    return [
        (_text(first, is_split_into_words, row), _text(second, is_split_into_words, row))
        for row, (first, second) in enumerate(pairs)
    ], False


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (
        hasattr(value, "tolist") and hasattr(value, "__len__") and not isinstance(value, str)
    )


def _item(item: Any, words: bool, row: int) -> Any:
    """A batch's row: a text, or a pair given as a list or tuple of two."""
    if _is_list(item) and len(item) == 2:
        if not words and all(isinstance(each, str) for each in item):
            return (item[0], item[1])
        if words and all(_is_list(each) for each in item):
            return (_text(item[0], words, row), _text(item[1], words, row))
    return _text(item, words, row)


def _text(value: Any, words: bool, row: int) -> Any:
    if not words and isinstance(value, str):
        return str(value)
    if words and _is_list(value) and all(isinstance(word, str) for word in value):
        return [str(word) for word in value]
    raise TokenizerError(f"{_FORMS}; row {row} holds {type(value).__name__}: {value!r:.80}.")
