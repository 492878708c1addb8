"""Reading ids from whatever holds them, and tidying decoded English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.tensors import as_list

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase

_TIDY = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def id_list(token_ids: Any) -> list[int]:
    """One row of ids as a list: from an int, a sequence, an array or a tensor."""
    value = as_list(token_ids)
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise TokenizerError(f"decode takes ids (integers), not {token_ids!r:.80}.")
    return [item if type(item) is int else as_list(item) for item in value]


def check_ids(ids: list[Any]) -> None:
    """Raises TokenizerError, naming the first offender, unless all are integers from 0 on."""
    if not ids or (all(type(index) is int for index in ids) and min(ids) >= 0):
        return
    for position, index in enumerate(ids):
        if isinstance(index, list):
            raise TokenizerError("decode takes one row of ids; batch_decode takes several.")
        if isinstance(index, bool) or not isinstance(index, int):
            raise TokenizerError(f"An id is an integer; position {position} holds {index!r:.80}.")
        if index < 0:
            raise TokenizerError(
                f"Ids count from 0; position {position} holds {index}. Labels carry -100 where the loss "
                "ignores them: replace it with pad_token_id before decoding."
            )


def clean_up(text: str) -> str:
    """``text`` without blanks before punctuation and contractions."""
    for before, after in _TIDY:
        text = text.replace(before, after)
    return text


def decode_spaced(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], *, skip_special_tokens: bool, spaces: bool
) -> str:
    """Runs of tokens joined by ``convert_tokens_to_string``, added tokens beyond the roles set between them.

    Tokens of the roles (``eos_token``, …) belong to the runs.
    """
    size = tokenizer.vocab_size
    apart = set(tokenizer.added_tokens_encoder) - set(tokenizer.all_special_tokens)
    apart |= {
        token
        for token in tokenizer.additional_special_tokens
        if (index := tokenizer.convert_tokens_to_ids(token)) is not None and index >= size
    }
    pieces: list[str] = []
    run: list[str] = []
    for token in tokenizer.convert_ids_to_tokens(ids, skip_special_tokens=skip_special_tokens):
        if token not in apart:
            run.append(token)
            continue
        if run and (text := tokenizer.convert_tokens_to_string(run)):
            pieces.append(text)
        run = []
        pieces.append(token)
    if run:
        pieces.append(tokenizer.convert_tokens_to_string(run))
    return (" " if spaces else "").join(pieces)
