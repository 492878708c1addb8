"""Working on ids that are there already: special tokens around them, truncation, one model input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.options import resolve_lengths
from zoo_core.tokenization.templates import Frame

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase


class SequenceMethods:
    """The id-level methods of every tokenizer, over ``_frame``: which special tokens surround the texts."""

    def _frame(self, pair: bool) -> Frame:
        raise NotImplementedError

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Ids of one text or two with the special tokens that the model expects."""
        return self._frame(token_ids_1 is not None).ids(token_ids_0, token_ids_1)

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """The segment of each id that ``build_inputs_with_special_tokens`` returns."""
        second = None if token_ids_1 is None else len(token_ids_1)
        return self._frame(token_ids_1 is not None).segment_ids(len(token_ids_0), second)

    def get_special_tokens_mask(
        self,
        token_ids_0: list[int],
        token_ids_1: list[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 where a special token stands, 0 elsewhere."""
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise TokenizerError("Ids that have their special tokens already are one sequence, not two.")
            special = set(cast("PreTrainedTokenizerBase", self).all_special_ids)
            return [int(index in special) for index in token_ids_0]
        second = None if token_ids_1 is None else len(token_ids_1)
        return self._frame(token_ids_1 is not None).mask(len(token_ids_0), second)

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens a text, or a pair, is given."""
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    def truncate_sequences(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: Any = "longest_first",
        stride: int = 0,
    ) -> tuple[list[int], list[int] | None, list[int]]:
        """``(ids, pair_ids, overflow)`` after removing that many tokens.

        The overflow, with ``stride`` kept tokens before it, is empty for pairs cut longest_first. Raises
        TokenizerError when the text to cut is too short.
        """
        strategy = getattr(truncation_strategy, "value", truncation_strategy)
        if num_tokens_to_remove <= 0 or strategy == "do_not_truncate":
            return ids, pair_ids, []
        left = cast("PreTrainedTokenizerBase", self).truncation_side == "left"
        if strategy == "longest_first" and pair_ids is not None:
            first, second = len(ids), len(pair_ids)
            for _ in range(min(num_tokens_to_remove, first + second)):
                if first > second:
                    first -= 1
                else:
                    second -= 1
            return _kept(ids, first, left), _kept(pair_ids, second, left), []
        cut = pair_ids if strategy == "only_second" else ids
        if cut is None or len(cut) <= num_tokens_to_remove:
            raise TokenizerError(
                f"truncation={strategy!r} has to remove {num_tokens_to_remove} tokens from a text of "
                f"{0 if cut is None else len(cut)}: raise max_length, or use longest_first."
            )
        window = min(len(cut), stride + num_tokens_to_remove)
        overflow = cut[:window] if left else cut[-window:]
        kept = _kept(cut, len(cut) - num_tokens_to_remove, left)
        return (ids, kept, overflow) if strategy == "only_second" else (kept, pair_ids, overflow)

    def prepare_for_model(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_length: bool = False,
        prepend_batch_axis: bool = False,
        verbose: bool = True,
    ) -> BatchEncoding:
        """A model input from the ids of one text or two, truncated, framed by special tokens and padded."""
        this = cast("PreTrainedTokenizerBase", self)
        pad, cut, length = resolve_lengths(
            padding,
            truncation,
            max_length,
            pad_to_multiple_of,
            model_max_length=this.model_max_length,
            verbose=verbose,
        )
        pair = pair_ids is not None
        if return_overflowing_tokens and cut == "longest_first" and pair:
            raise TokenizerError("Pairs cut longest_first leave no overflow: use only_first or only_second.")
        total = len(ids) + len(pair_ids or ())
        total += self.num_special_tokens_to_add(pair) if add_special_tokens else 0
        data: dict[str, Any] = {}
        excess = total - length if length is not None and cut != "do_not_truncate" else 0
        ids, pair_ids, overflow = self.truncate_sequences(ids, pair_ids, excess, cut, stride)
        if return_overflowing_tokens:
            data |= {"overflowing_tokens": overflow, "num_truncated_tokens": excess}
        names = this.model_input_names
        wanted = "attention_mask" in names if return_attention_mask is None else return_attention_mask
        segments = "token_type_ids" in names if return_token_type_ids is None else return_token_type_ids
        framed = self._framed(ids, pair_ids, add_special_tokens)
        dropped = {"token_type_ids": segments, "special_tokens_mask": return_special_tokens_mask}
        data |= {key: value() for key, value in framed.items() if dropped.get(key, True)}
        if wanted:
            data["attention_mask"] = [1] * len(data["input_ids"])
        if pad != "do_not_pad":
            data = dict(
                this.pad(
                    data,
                    padding=pad,
                    max_length=length,
                    pad_to_multiple_of=pad_to_multiple_of,
                    padding_side=padding_side,
                    return_attention_mask=wanted,
                )
            )
        if return_length:
            data["length"] = len(data["input_ids"])
        return BatchEncoding(
            data,
            tensor_type=return_tensors,
            prepend_batch_axis=prepend_batch_axis,
            n_sequences=2 if pair else 1,
        )

    def _framed(
        self, ids: list[int], pair_ids: list[int] | None, special: bool
    ) -> dict[str, Callable[[], list[int]]]:
        """How to make each entry of one sequence, with or without its special tokens."""
        if special:
            return {
                "input_ids": lambda: self.build_inputs_with_special_tokens(ids, pair_ids),
                "token_type_ids": lambda: self.create_token_type_ids_from_sequences(ids, pair_ids),
                "special_tokens_mask": lambda: self.get_special_tokens_mask(ids, pair_ids),
            }
        second = pair_ids or []
        return {
            "input_ids": lambda: ids + second,
            "token_type_ids": lambda: [0] * len(ids) + [1] * len(second),
            "special_tokens_mask": lambda: [0] * (len(ids) + len(second)),
        }


def _kept(ids: list[int], count: int, left: bool) -> list[int]:
    return ids[len(ids) - count :] if left else ids[:count]
