"""The settings of one tokenizer call, checked once."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.tensors import tensor_kind

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

UNLIMITED = int(1e30)
"""``model_max_length`` of a tokenizer that names none."""
_UNLIMITED_FROM = int(1e20)

TRUNCATIONS = ("longest_first", "only_first", "only_second", "do_not_truncate")
PADDINGS = ("longest", "max_length", "do_not_pad")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What to do with the texts of one call. Lengths count tokens, special ones included."""

    add_special_tokens: bool = True
    padding: str = "do_not_pad"
    truncation: str = "do_not_truncate"
    max_length: int | None = None
    stride: int = 0
    pad_to_multiple_of: int | None = None
    padding_side: str = "right"
    is_split_into_words: bool = False
    return_tensors: str | None = None
    return_token_type_ids: bool = False
    return_attention_mask: bool = False
    return_overflowing_tokens: bool = False
    return_special_tokens_mask: bool = False
    return_offsets_mapping: bool = False
    return_length: bool = False
    split_special_tokens: bool = False
    target: bool = False
    verbose: bool = True

    @property
    def truncates(self) -> bool:
        return self.truncation != "do_not_truncate"


def is_limited(length: int) -> bool:
    """Whether ``model_max_length`` is a real limit."""
    return length < _UNLIMITED_FROM


def side(name: str, value: Any) -> str:
    """``"left"`` or ``"right"``; raises TokenizerError otherwise."""
    if value not in ("left", "right"):
        raise TokenizerError(f'{name} is "left" or "right", not {value!r}.')
    return str(value)


def resolve_lengths(
    padding: Any,
    truncation: Any,
    max_length: int | None,
    pad_to_multiple_of: int | None,
    *,
    model_max_length: int,
    verbose: bool = True,
) -> tuple[str, str, int | None]:
    """``(padding, truncation, max_length)`` as strategies, from all that callers may pass."""
    if max_length is not None and (isinstance(max_length, bool) or not isinstance(max_length, int)):
        raise TokenizerError(f"max_length is a number of tokens, not {max_length!r}.")
    if max_length is not None and max_length < 0:
        raise TokenizerError(f"max_length counts tokens and cannot be negative: {max_length}.")
    pad = _padding(padding)
    if truncation is None and max_length is not None and pad == "do_not_pad":
        if verbose:
            logger.warning("max_length=%d without truncation=: truncating with longest_first.", max_length)
        truncation = True
    cut = _truncation(truncation)
    if pad == "longest" and max_length is not None and cut == "do_not_truncate" and verbose:
        warnings.warn(
            "max_length has no effect with padding=True and no truncation; "
            'padding="max_length" pads up to it.',
            stacklevel=4,
        )
    if max_length is None and is_limited(model_max_length):
        max_length = model_max_length if pad == "max_length" or cut != "do_not_truncate" else None
    elif max_length is None and (pad == "max_length" or cut != "do_not_truncate"):
        if verbose:
            logger.warning(
                "This tokenizer names no maximum length: pass max_length to pad or truncate to it."
            )
        pad = "do_not_pad" if pad == "max_length" else pad
        cut = "do_not_truncate"
    both = cut != "do_not_truncate" and pad != "do_not_pad"
    if both and pad_to_multiple_of and max_length and max_length % pad_to_multiple_of:
        raise TokenizerError(
            f"max_length={max_length} is not a multiple of pad_to_multiple_of={pad_to_multiple_of}."
        )
    return pad, cut, max_length


def _padding(value: Any) -> str:
    if value is None or value is False:
        return "do_not_pad"
    name = "longest" if value is True else getattr(value, "value", value)
    if name not in PADDINGS:
        raise TokenizerError(f"padding is True, False or one of {', '.join(PADDINGS)}, not {value!r}.")
    return str(name)


def _truncation(value: Any) -> str:
    if value is None or value is False:
        return "do_not_truncate"
    name = "longest_first" if value is True else getattr(value, "value", value)
    if name not in TRUNCATIONS:
        raise TokenizerError(f"truncation is True, False or one of {', '.join(TRUNCATIONS)}, not {value!r}.")
    return str(name)


def call_options(
    tokenizer: PreTrainedTokenizerBase,
    padding: Any,
    truncation: Any,
    max_length: int | None,
    *,
    padding_side: str | None,
    return_tensors: Any,
    return_token_type_ids: bool | None,
    return_attention_mask: bool | None,
    pad_to_multiple_of: int | None,
    verbose: bool,
    **settled: Any,
) -> CallOptions:
    """The settings of a call, what callers leave out taken from ``tokenizer``."""
    pad, cut, length = resolve_lengths(
        padding,
        truncation,
        max_length,
        pad_to_multiple_of,
        model_max_length=tokenizer.model_max_length,
        verbose=verbose,
    )
    tokenizer._check_padding(pad)
    names = tokenizer.model_input_names
    segments, mask = return_token_type_ids, return_attention_mask
    return CallOptions(
        padding=pad,
        truncation=cut,
        max_length=length,
        padding_side=side("padding_side", padding_side or tokenizer.padding_side),
        return_tensors=tensor_kind(return_tensors),
        return_token_type_ids="token_type_ids" in names if segments is None else segments,
        return_attention_mask="attention_mask" in names if mask is None else mask,
        pad_to_multiple_of=pad_to_multiple_of,
        verbose=verbose,
        **settled,
    )
