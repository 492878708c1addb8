"""Rows of unequal length to one length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.tensors import as_list

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase


def target_length(longest: int, padding: str, max_length: int | None, multiple: int | None) -> int | None:
    """The length that rows are padded to; None for none."""
    if padding == "do_not_pad":
        return None
    length = longest if padding == "longest" or max_length is None else max_length
    return -(-length // multiple) * multiple if multiple else length


def pad_batch(
    tokenizer: PreTrainedTokenizerBase,
    encoded: Any,
    *,
    padding: str,
    max_length: int | None,
    pad_to_multiple_of: int | None,
    padding_side: str,
    return_attention_mask: bool,
    return_tensors: str | None,
) -> BatchEncoding:
    """``encoded`` (a mapping of rows, or a list of mappings) with the model's inputs padded."""
    data, kind = columns_of(encoded)
    main = tokenizer.model_input_names[0]
    if main not in data:
        raise TokenizerError(
            f"pad() needs {main!r}; the encodings hold {', '.join(map(str, data)) or 'nothing'}."
        )
    if not len(data[main]):
        return BatchEncoding({**data, **({"attention_mask": []} if return_attention_mask else {})})
    single = not isinstance(data[main][0], list)
    columns: dict[str, list[Any]] = {key: [value] if single else list(value) for key, value in data.items()}
    rows = len(columns[main])
    uneven = [key for key, value in columns.items() if len(value) != rows]
    if uneven:
        raise TokenizerError(f"pad(): {uneven} have another number of rows than the {rows} of {main!r}.")
    if return_attention_mask and "attention_mask" not in columns:
        columns["attention_mask"] = [[1] * len(row) for row in columns[main]]
    length = target_length(max(map(len, columns[main])), padding, max_length, pad_to_multiple_of)
    if length is not None:
        fills = pad_values(tokenizer, main)
        for key in columns.keys() & fills.keys():
            columns[key] = [pad_row(row, length, fills[key], padding_side) for row in columns[key]]
    padded = {key: value[0] if single else value for key, value in columns.items()}
    return BatchEncoding(padded, tensor_type=return_tensors or kind, prepend_batch_axis=False)


def pad_values(tokenizer: PreTrainedTokenizerBase, main: str = "input_ids") -> dict[str, Any]:
    """What each padded entry is filled with."""
    return {
        main: tokenizer.pad_token_id,
        "attention_mask": 0,
        "token_type_ids": tokenizer.pad_token_type_id,
        "special_tokens_mask": 1,
        "offset_mapping": (0, 0),
    }


def pad_row(row: list[Any], length: int, value: Any, side: str) -> list[Any]:
    """``row`` with ``value`` added on ``side`` up to ``length``; longer rows stay."""
    missing = [value] * (length - len(row))
    return [*row, *missing] if side == "right" else [*missing, *row]


def pad_columns(
    data: dict[str, Any], fills: Mapping[str, Any], length: int, side: str, *, single: bool
) -> None:
    """Pad the entries of ``data`` that ``fills`` names, in place: rows, or one row where ``single``."""
    for key in data.keys() & fills.keys():
        rows = [data[key]] if single else data[key]
        rows = [pad_row(row, length, fills[key], side) for row in rows]
        data[key] = rows[0] if single else rows


def columns_of(encoded: Any) -> tuple[dict[str, Any], str | None]:
    """Columns as lists, and the kind of tensor that they came in."""
    if isinstance(encoded, Mapping):
        columns = dict(encoded)
    elif isinstance(encoded, list | tuple) and all(isinstance(row, Mapping) for row in encoded) and encoded:
        missing = {key for row in encoded for key in set(encoded[0]) ^ set(row)}
        if missing:
            raise TokenizerError(f"pad(): not every encoding has {sorted(missing)}.")
        columns = {key: [row[key] for row in encoded] for key in encoded[0]}
    elif isinstance(encoded, list | tuple) and not encoded:
        raise TokenizerError("pad() was given no encodings.")
    else:
        raise TokenizerError(f"pad() takes a mapping or a list of mappings, not {type(encoded).__name__}.")
    kind = None
    for value in columns.values():
        sample = value[0] if isinstance(value, list) and value else value
        if hasattr(sample, "tolist") and getattr(sample, "ndim", None):
            kind = "pt" if type(sample).__module__.startswith("torch") else "np"
    return {key: _plain(value) for key, value in columns.items()}, kind


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [as_list(item) for item in value]
    return as_list(value)
