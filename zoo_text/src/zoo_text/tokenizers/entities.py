"""Texts with entities: LUKE (https://arxiv.org/abs/2010.01057) and mLUKE (https://arxiv.org/abs/2110.08151)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import BatchEncoding, PreTrainedTokenizerFast
from zoo_core.tokenization.inputs import read_inputs
from zoo_core.tokenization.loading import read_json
from zoo_core.tokenization.options import resolve_lengths
from zoo_core.tokenization.padding import columns_of, pad_columns, pad_row, target_length
from zoo_core.tokenization.special_tokens import as_added_token
from zoo_text.tokenizers.byte_level import RobertaTokenizer
from zoo_text.tokenizers.unigram import XLMRobertaTokenizer

TASKS = {
    None: None,
    "entity_classification": 1,
    "entity_pair_classification": 2,
    "entity_span_classification": None,
}
"""How many entities a text has in each task; None for any number."""

_FILE = "entity_vocab.json"
_PADDED_WITH_ZERO = (
    "entity_attention_mask",
    "entity_token_type_ids",
    "entity_start_positions",
    "entity_end_positions",
)


@dataclass(frozen=True)
class Marked:
    """Ids of a text, with the ids of its entities and the tokens [start, end) that each is made of."""

    ids: list[int]
    entity_ids: list[int]
    spans: list[tuple[int, int]]

    def within(self, start: int, end: int, most: int) -> Marked:
        """The tokens [start, end) with the first `most` of the entities that lie in them."""
        kept = [
            (entity, (first - start, last - start))
            for entity, (first, last) in zip(self.entity_ids, self.spans, strict=True)
            if start <= first and last <= end
        ][:most]
        return Marked(self.ids[start:end], [entity for entity, _ in kept], [span for _, span in kept])


class EntitiesMixin(PreTrainedTokenizerFast):
    """Calls take the characters of entities, and their names.

    entity_spans: [(start, end), ...] in characters of `text`; a batch has a list for each text.
    entities: the name of each; without names the entities are masked. entity_spans_pair, entities_pair: of
    `text_pair`. With a `task`, one entity, a pair of them, or any number of spans is masked, names and
    second texts do not count, and for the first two the texts are marked with `entity_token_1` and `_2`.

    Besides the tokens come entity_ids, entity_attention_mask, entity_position_ids (the tokens of each, and
    -1 up to `max_mention_length`), and for spans entity_start_positions and entity_end_positions.
    """

    settings: ClassVar[Mapping[str, Any]] = {
        "task": None,
        "max_entity_length": 32,
        "max_mention_length": 30,
        "entity_token_1": "<ent>",
        "entity_token_2": "<ent2>",
        "entity_unk_token": "[UNK]",
        "entity_pad_token": "[PAD]",
        "entity_mask_token": "[MASK]",
        "entity_mask2_token": "[MASK2]",
    }
    entity_unk_token_id: int
    entity_pad_token_id: int
    entity_mask_token_id: int
    entity_mask2_token_id: int
    entity_token_1: str
    entity_token_2: str
    task: str | None
    max_entity_length: int
    max_mention_length: int

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        markers = []
        for name in ("entity_token_1", "entity_token_2"):
            marker = as_added_token(kwargs.get(name) or EntitiesMixin.settings[name])
            kwargs[name] = marker.content
            markers.append(AddedToken(marker.content, special=True))
        given = [as_added_token(token) for token in kwargs.pop("additional_special_tokens", None) or ()]
        known = {token.content for token in given}
        kwargs["additional_special_tokens"] = [*given, *(m for m in markers if m.content not in known)]
        super().__init__(*vocab_files, **kwargs)
        if self.task not in TASKS:
            names = ", ".join(str(task) for task in TASKS)
            raise TokenizerError(f"task is one of {names}, not {self.task!r}.")
        self.max_entity_length = TASKS[self.task] or self.max_entity_length
        if "entity_vocab_file" not in self._files:
            raise TokenizerError(f"{type(self).__name__} needs the ids of entities, {_FILE}.")
        self.entity_vocab = _entity_vocabulary(self._files["entity_vocab_file"])
        for role in ("unk", "pad", "mask", "mask2"):
            token = getattr(self, f"entity_{role}_token")
            if token not in self.entity_vocab:
                raise TokenizerError(
                    f"{self._files['entity_vocab_file']} has no {token!r}, the entity_{role}_token."
                )
            setattr(self, f"entity_{role}_token_id", self.entity_vocab[token])

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        written = super().save_vocabulary(save_directory, filename_prefix)
        path = Path(save_directory, (f"{filename_prefix}-" if filename_prefix else "") + _FILE)
        text = json.dumps(self.entity_vocab, indent=2, sort_keys=True, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        return (*(name for name in written if name != str(path)), str(path))

    # Calls

    def __call__(  # type: ignore[override]
        self,
        text: Any = None,
        text_pair: Any = None,
        entity_spans: Any = None,
        entity_spans_pair: Any = None,
        entities: Any = None,
        entities_pair: Any = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        max_entity_length: int | None = None,
        **kwargs: Any,
    ) -> BatchEncoding:
        if self.task is None and entity_spans is None and entity_spans_pair is None:
            if entities is not None or entities_pair is not None:
                raise TokenizerError("entities= needs entity_spans=, where in the text each of them is.")
            return super().__call__(
                text,
                text_pair,
                add_special_tokens=add_special_tokens,
                padding=padding,
                truncation=truncation,
                max_length=max_length,
                **kwargs,
            )
        for name in ("is_split_into_words", "return_offsets_mapping", "return_overflowing_tokens"):
            if kwargs.pop(name, False):
                raise TokenizerError(f"{name}=True cannot be had together with entities.")
        inputs, single = read_inputs(text, text_pair, is_split_into_words=False)
        columns = [
            [each] if single else _rows(each, len(inputs), name)
            for each, name in (
                (entity_spans, "entity_spans"),
                (entity_spans_pair, "entity_spans_pair"),
                (entities, "entities"),
                (entities_pair, "entities_pair"),
            )
        ]
        tensors, options = kwargs.pop("return_tensors", None), dict(kwargs)
        padded = {name: options.pop(name, None) for name in ("pad_to_multiple_of", "padding_side")}
        pad, cut, length = resolve_lengths(
            padding,
            truncation,
            max_length,
            padded["pad_to_multiple_of"],
            model_max_length=self.model_max_length,
            verbose=options.get("verbose", True),
        )
        options |= {"truncation": cut, "max_length": length, "max_entity_length": max_entity_length}
        rows = []
        for each, first_spans, second_spans, names, second_names in zip(inputs, *columns, strict=True):
            one, two = each if isinstance(each, tuple) else (each, None)
            first = self._marked(one, first_spans, names)
            second = None
            if two is not None and self.task is None:
                second = self._marked(two, second_spans, second_names)
            rows.append(self._row(first, second, add_special_tokens=add_special_tokens, **options))
        if not rows:
            return BatchEncoding({"input_ids": []})
        encoded: Any = {key: [row[key] for row in rows] for key in rows[0]}
        if pad != "do_not_pad":
            encoded = self.pad(encoded, pad, length, max_entity_length=max_entity_length, **padded)
        if single and tensors is None:
            encoded = {key: value[0] for key, value in encoded.items()}
        if options.get("return_length"):
            ids = encoded["input_ids"]
            encoded["length"] = len(ids) if single and tensors is None else [len(row) for row in ids]
        return BatchEncoding(encoded, tensor_type=tensors, n_sequences=2 if text_pair is not None else 1)

    def pad(  # type: ignore[override]
        self,
        encoded_inputs: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        max_entity_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """As for any tokenizer; entities are padded to the most of a row, or to `max_entity_length`."""
        data, kind = columns_of(encoded_inputs)
        pad = resolve_lengths(padding, False, None, None, model_max_length=1, verbose=False)[0]
        entities = data.get("entity_ids")
        if entities:
            single = not isinstance(entities[0], list)
            longest = len(entities) if single else max(map(len, entities))
            most = max_entity_length or self.max_entity_length
            length = target_length(longest, pad, most, pad_to_multiple_of) or 0
            fills: dict[str, Any] = dict.fromkeys(_PADDED_WITH_ZERO, 0)
            fills |= {"entity_ids": self.entity_pad_token_id}
            fills |= {"entity_position_ids": [-1] * self.max_mention_length}
            pad_columns(data, fills, length, padding_side or self.padding_side, single=single)
        return super().pad(
            data,
            padding,
            max_length,
            pad_to_multiple_of,
            padding_side,
            return_attention_mask,
            return_tensors or kind,
            verbose,
        )

    # One text

    def _marked(self, text: str, spans: Any, names: Any) -> Marked:
        """Tokens and entities of a text; `spans` and `names` are the caller's."""
        given = _spans(text, spans, names, self.task)
        found = [self.entity_mask_token_id] * len(given)
        if self.task is None and names is not None:
            found = [self.entity_vocab.get(name, self.entity_unk_token_id) for name in names]
        elif self.task == "entity_pair_classification":
            found[1] = self.entity_mask2_token_id
        marks: list[list[int]] = [[] for _ in given]
        if TASKS[self.task] is not None:
            markers = (self.entity_token_1, self.entity_token_2)
            marks = [[self.convert_tokens_to_ids(marker)] for marker in markers[: len(given)]]
        # a blank before an entity goes to its first token, as it does within a text
        cuts = {at: at - 1 if at and text[at - 1] == " " else at for span in given for at in span}
        places = sorted({0, len(text), *cuts.values()})
        pieces = [text[a:b] for a, b in pairwise(places)]
        encoded = super().__call__(pieces, add_special_tokens=False, verbose=False)["input_ids"]
        ids: list[int] = []
        starts, ends = [0] * len(given), [0] * len(given)
        for place, piece in zip(places, [*encoded, []], strict=True):
            for i, (first, last) in enumerate(given):
                if cuts[first] < cuts[last] == place:
                    ids += marks[i]
                    ends[i] = len(ids)
            for i, (first, last) in enumerate(given):
                if cuts[first] == place:
                    starts[i] = len(ids)
                    ids += marks[i] * (2 if cuts[last] == place else 1)
                    ends[i] = len(ids)
            ids += piece
        return Marked(ids, found, list(zip(starts, ends, strict=True)))

    def _row(
        self,
        first: Marked,
        second: Marked | None,
        *,
        add_special_tokens: bool,
        truncation: str,
        max_length: int | None,
        max_entity_length: int | None,
        stride: int = 0,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_special_tokens_mask: bool = False,
        **_: Any,
    ) -> dict[str, Any]:
        """One row of the result, cut to its lengths."""
        frame = self._frame(second is not None) if add_special_tokens else None
        total = len(first.ids) + (len(second.ids) if second else 0) + (frame.size if frame else 0)
        cuts = truncation != "do_not_truncate"
        excess = total - max_length if cuts and max_length is not None else 0
        ids, pair_ids, _over = self.truncate_sequences(
            first.ids, second.ids if second else None, excess, truncation, stride
        )
        parts = [self._cut(first, len(ids))]
        if second is not None:
            parts.append(self._cut(second, len(pair_ids or ())))
        if cuts:
            parts = self._fewer(parts, truncation, max_entity_length or self.max_entity_length)
        row = dict(
            self.prepare_for_model(
                ids,
                pair_ids,
                add_special_tokens,
                truncation=False,
                return_token_type_ids=return_token_type_ids,
                return_attention_mask=return_attention_mask,
                return_special_tokens_mask=return_special_tokens_mask,
                verbose=False,
            )
        )
        offsets = [len(frame.before) if frame else 0]
        offsets.append(offsets[0] + len(ids) + (len(frame.between) if frame else 0))
        spans = [
            (a + offset, b + offset)
            for part, offset in zip(parts, offsets, strict=False)
            for a, b in part.spans
        ]
        row["entity_ids"] = [entity for part in parts for entity in part.entity_ids]
        width = self.max_mention_length
        row["entity_position_ids"] = [pad_row([*range(a, b)][:width], width, -1, "right") for a, b in spans]
        if self.task == "entity_span_classification":
            row["entity_start_positions"] = [a for a, _ in spans]
            row["entity_end_positions"] = [b - 1 for _, b in spans]
        if "token_type_ids" in row:
            row["entity_token_type_ids"] = [0] * len(spans)
        if "attention_mask" in row:
            row["entity_attention_mask"] = [1] * len(spans)
        return row

    def _cut(self, part: Marked, length: int) -> Marked:
        """What is left of a text of which `length` tokens stay."""
        start = len(part.ids) - length if self.truncation_side == "left" else 0
        return part.within(start, start + length, len(part.spans))

    def _fewer(self, parts: list[Marked], truncation: str, most: int) -> list[Marked]:
        """At most so many entities; both texts lose theirs by the rule by which they lose tokens."""
        counts, last = [len(part.spans) for part in parts], len(parts) - 1
        for _ in range(sum(counts) - most):
            longer = 0 if counts[0] > counts[last] else last
            cut = {"only_first": 0, "only_second": last}.get(truncation, longer)
            counts[cut] = max(counts[cut] - 1, 0)
        return [part.within(0, len(part.ids), count) for part, count in zip(parts, counts, strict=True)]


def _rows(values: Any, count: int, name: str) -> list[Any]:
    if values is None:
        return [None] * count
    if not isinstance(values, list | tuple) or len(values) != count:
        raise TokenizerError(f"{name} of a batch is a list with an entry for each of its {count} texts.")
    return list(values)


def _spans(text: str, spans: Any, names: Any, task: str | None) -> list[tuple[int, int]]:
    """The spans of one text, checked."""
    if not isinstance(spans, list | tuple) and (spans is not None or task is not None):
        raise TokenizerError(f"entity_spans is a list of (start, end) in characters, not {spans!r:.80}.")
    found = []
    for span in spans or ():
        if not isinstance(span, list | tuple) or len(span) != 2 or not all(type(x) is int for x in span):
            raise TokenizerError(
                f"entity_spans is a list of (start, end) in characters; it holds {span!r:.80}."
            )
        if not 0 <= span[0] <= span[1] <= len(text):
            raise TokenizerError(f"The entity {tuple(span)} is not within the text's {len(text)} characters.")
        found.append((span[0], span[1]))
    wanted = TASKS[task]
    if (wanted is not None and len(found) != wanted) or (task is not None and not found):
        raise TokenizerError(
            f"The task {task} takes {wanted or 'one or more'} entity_spans for each text, not {len(found)}."
        )
    if task is None and names is not None:
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise TokenizerError(f"entities is a list of names, not {names!r:.80}.")
        if len(names) != len(found):
            raise TokenizerError(f"{len(names)} entities do not go with {len(found)} entity_spans.")
    return found


def _entity_vocabulary(path: Path) -> dict[str, int]:
    vocabulary = read_json(path)
    if not isinstance(vocabulary, dict) or not all(
        type(index) is int and index >= 0 for index in vocabulary.values()
    ):
        raise TokenizerError(f"{path} maps names of entities to ids; ids count from 0.")
    return vocabulary


class LukeTokenizer(EntitiesMixin, RobertaTokenizer):
    """LUKE: RoBERTa's, with entities."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        **RobertaTokenizer.vocab_files_names,
        "entity_vocab_file": _FILE,
    }


class MLukeTokenizer(EntitiesMixin, XLMRobertaTokenizer):
    """mLUKE: XLM-RoBERTa's, with entities."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        **XLMRobertaTokenizer.vocab_files_names,
        "entity_vocab_file": _FILE,
    }
