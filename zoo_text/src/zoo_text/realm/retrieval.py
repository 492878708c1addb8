"""The blocks of text that REALM answers from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from zoo_core.errors import CheckpointError
from zoo_core.hub import HubOptions, Repository
from zoo_core.tokenization import BatchEncoding
from zoo_text.tokenizers.wordpiece import RealmTokenizer

_FILE = "block_records.npy"


class Retrieved(NamedTuple):
    """Blocks before a reader: which hold an answer, and first and last tokens of each, -1 for none."""

    has_answers: list[bool] | None
    start_pos: list[list[int]] | None
    end_pos: list[list[int]] | None
    concat_inputs: BatchEncoding


class RealmRetriever:
    """Joins a question with blocks, and looks for the answers in them.

    Args:
        block_records: the texts, as str or UTF-8 bytes, in the order of the model's `block_emb`.
    """

    def __init__(self, block_records: Sequence[str | bytes] | Any, tokenizer: Any) -> None:
        self.block_records, self.tokenizer = block_records, tokenizer

    def __call__(
        self,
        retrieved_block_ids: Sequence[int] | Any,
        question_input_ids: Any,
        answer_ids: Sequence[Sequence[int]] | None,
        max_length: int | None = None,
        return_tensors: str | None = "pt",
    ) -> Retrieved:
        """The blocks after the question (1, length), cut to max_length tokens in all."""
        found = [self.block_records[int(number)] for number in retrieved_block_ids]
        blocks = [text.decode() if isinstance(text, bytes) else text for text in found]
        question = self.tokenizer.decode(question_input_ids[0], skip_special_tokens=True)
        limit = {} if max_length is None else {"truncation": True, "max_length": max_length}
        joined = self.tokenizer(
            [question] * len(blocks), blocks, padding=True, return_special_tokens_mask=True, **limit
        )
        places = (None, None, None) if answer_ids is None else self.block_has_answer(joined, answer_ids)
        return Retrieved(*places, joined.convert_to_tensors(return_tensors))

    def block_has_answer(
        self, concat_inputs: BatchEncoding, answer_ids: Sequence[Sequence[int]]
    ) -> tuple[list[bool], list[list[int]], list[list[int]]]:
        """For each block whether, and wherever, answers stand in it, one answer after the other."""
        starts: list[list[int]] = []
        ends: list[list[int]] = []
        for ids in concat_inputs["input_ids"]:
            begin = ids.index(self.tokenizer.sep_token_id)
            stop = ids.index(self.tokenizer.sep_token_id, begin + 1)
            found = [
                (first, first + len(answer) - 1)
                for answer in answer_ids
                for first in _places(ids[:stop], list(answer), begin + 1)
            ]
            starts.append([first for first, _ in found])
            ends.append([last for _, last in found])
        most = max(map(len, starts), default=0)
        for row in (*starts, *ends):
            row += [-1] * (most - len(row))
        return [bool(row) and row[0] >= 0 for row in starts], starts, ends

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *init_inputs: Any, **kwargs: Any
    ) -> Self:
        """Read the tokenizer and block_records.npy, which holds fixed-width bytes or text.

        Raises:
            CheckpointError: the file is one of Python objects, which only unpickling would open.
        """
        options = HubOptions.pop_from(kwargs)
        path = Repository(pretrained_model_name_or_path, options=options).path(_FILE)
        try:
            records = np.load(path, allow_pickle=False)
        except ValueError as error:
            raise CheckpointError(
                f"{path} holds pickled Python objects, which are not opened: read it where you trust it, "
                "and pass the texts: RealmRetriever(texts, tokenizer)"
            ) from error
        return cls(
            records, RealmTokenizer.from_pretrained(pretrained_model_name_or_path, *init_inputs, **kwargs)
        )

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> None:
        """Write the tokenizer, and the blocks as fixed-width bytes."""
        Path(save_directory).mkdir(parents=True, exist_ok=True)
        blocks = [text.encode() if isinstance(text, str) else bytes(text) for text in self.block_records]
        np.save(Path(save_directory) / _FILE, np.array(blocks, dtype=bytes))
        self.tokenizer.save_pretrained(save_directory)


def _places(ids: list[int], answer: list[int], start: int) -> list[int]:
    """Where, from `start` on, `answer` stands in `ids`."""
    ends = range(start, len(ids) - len(answer) + 1)
    return [i for i in ends if answer and ids[i : i + len(answer)] == answer]
