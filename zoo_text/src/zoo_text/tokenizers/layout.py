"""Words with their boxes on a page: LayoutLMv2 and v3, LayoutXLM, UDOP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken, Encoding

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import BatchEncoding, PreTrainedTokenizerFast
from zoo_core.tokenization.families import RobertaLikeTokenizer
from zoo_core.tokenization.inputs import read_inputs
from zoo_text.tokenizers.unigram import T5Tokenizer, XLMRobertaTokenizer
from zoo_text.tokenizers.wordpiece import BertTokenizer

Box = Sequence[int]


class PlacedWords(PreTrainedTokenizerFast):
    """Calls take words and a place for each; tokens get what their word's place says.

    text: the words of a page, or a question (str) with the words as ``text_pair``; batches of either.
    Labels are one a word, given to its first token alone where ``only_label_first_subword``; they come back
    as ``labels``.
    """

    settings: ClassVar[Mapping[str, Any]] = {"pad_token_label": -100, "only_label_first_subword": True}
    #: whether a word's label stands at a lone word mark and at the piece after it, as both begin the word
    labels_marks: ClassVar[bool] = False
    pad_token_label: int
    only_label_first_subword: bool

    def placed(
        self,
        text: Any,
        text_pair: Any,
        places: tuple[str, Any],
        labels: tuple[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode words with their places and labels, each given with the name of its argument."""
        question = text_pair is not None
        words, single = read_inputs(text_pair if question else text, None, is_split_into_words=True)
        first = [text] if question and single else text
        if question:
            if isinstance(text, str) != single or len(first) != len(words):
                raise TokenizerError("text holds one question (str) for each list of words in text_pair.")
            inputs: tuple[Any, Any] = ([[each] for each in first], words)
        else:
            inputs = (words, None)
        (where, given), (label, targets) = places, labels
        given = [given] if single else given
        targets = [targets] if single and targets is not None else targets
        _check_lengths(words, given, where)
        self._check_places(given)
        if targets is not None:
            _check_lengths(words, targets, label)
        tensors = kwargs.pop("return_tensors", None)
        kwargs["is_split_into_words"] = True
        overflow = kwargs.get("return_overflowing_tokens", False)
        encoded = super().__call__(*inputs, *args, **kwargs)
        rows = encoded.encodings or []
        samples = encoded["overflow_to_sample_mapping"] if overflow else range(len(rows))
        features = [self._place(row, given[i], question) for row, i in zip(rows, samples, strict=True)]
        for name in features[0] if features else ():
            encoded[name] = [each[name] for each in features]
        if targets is not None:
            encoded["labels"] = [
                self._labels(row, targets[i], question) for row, i in zip(rows, samples, strict=True)
            ]
        if single and tensors is None and not overflow:
            data = {key: value[0] for key, value in encoded.items()}
            return BatchEncoding(data, rows, n_sequences=encoded.n_sequences)
        return encoded.convert_to_tensors(tensors)

    def _check_places(self, given: Sequence[Sequence[Any]]) -> None:
        """Refuse places that are none."""

    def _place(self, row: Encoding, places: Sequence[Any], question: bool) -> dict[str, list[Any]]:
        """What each token of `row` gets from its word's place, by the name in the encoding."""
        raise NotImplementedError

    def _labels(self, row: Encoding, labels: Sequence[int], question: bool) -> list[int]:
        found = []
        previous = None
        for word, sequence, (start, _) in zip(row.word_ids, row.sequence_ids, row.offsets, strict=True):
            labelled = word is not None and not (question and sequence == 0)
            first = start == 0 and (word != previous or self.labels_marks)
            first = first or not self.only_label_first_subword
            found.append(labels[word] if labelled and first else self.pad_token_label)
            previous = word if labelled else None
        return found


class BoxesMixin(PlacedWords):
    """Places are boxes (x0, y0, x1, y1) in thousandths of the page; tokens get theirs as ``bbox``."""

    settings: ClassVar[Mapping[str, Any]] = {
        "cls_token_box": [0, 0, 0, 0],
        "sep_token_box": [1000, 1000, 1000, 1000],
        "pad_token_box": [0, 0, 0, 0],
    }
    boxes_required: ClassVar[bool] = True

    cls_token_box: Box
    sep_token_box: Box
    pad_token_box: Box

    def __call__(
        self,
        text: Any = None,
        text_pair: Any = None,
        boxes: Any = None,
        word_labels: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> BatchEncoding:
        if boxes is None and not self.boxes_required:
            return super().__call__(text, text_pair, *args, **kwargs)
        if boxes is None:
            raise TokenizerError(f"{type(self).__name__} needs boxes=, one (x0, y0, x1, y1) per word.")
        return self.placed(text, text_pair, ("boxes", boxes), ("word_labels", word_labels), *args, **kwargs)

    def _check_places(self, given: Sequence[Sequence[Box]]) -> None:
        for row, values in enumerate(given):
            if any(len(box) != 4 for box in values):
                raise TokenizerError(f"boxes: row {row} holds a box without four numbers (x0, y0, x1, y1).")
            for word, box in enumerate(values):
                if any(isinstance(side, str) or not 0 <= side <= 1000 for side in box):
                    raise TokenizerError(
                        f"boxes: word {word} of row {row} lies at {list(box)}, outside the page: sides are 0 "
                        "to 1000, so divide pixels by the page's width or height and multiply by 1000."
                    )

    def _place(self, row: Encoding, places: Sequence[Box], question: bool) -> dict[str, list[Any]]:
        ends = {self.cls_token: self.cls_token_box, self.sep_token: self.sep_token_box}
        found = []
        for token, word, sequence in zip(row.tokens, row.word_ids, row.sequence_ids, strict=True):
            if word is None:
                box = ends.get(token, self.pad_token_box)
            else:
                box = self.pad_token_box if question and sequence == 0 else places[word]
            found.append(list(box))
        return {"bbox": found}


def _check_lengths(words: Sequence[Sequence[str]], given: Any, name: str) -> None:
    if len(given) != len(words):
        raise TokenizerError(f"{name} has {len(given)} rows for {len(words)} lists of words.")
    for row, (each, values) in enumerate(zip(words, given, strict=True)):
        if len(each) != len(values):
            raise TokenizerError(f"{name}: row {row} has {len(values)} for {len(each)} words; one per word.")


class LayoutLMv2Tokenizer(BoxesMixin, BertTokenizer):
    """LayoutLMv2."""

    tidy = False


class LayoutLMv3Tokenizer(BoxesMixin, RobertaLikeTokenizer):
    """LayoutLMv3."""

    settings: ClassVar[Mapping[str, Any]] = {"add_prefix_space": True, "sep_token_box": [0, 0, 0, 0]}


class LayoutXLMTokenizer(BoxesMixin, XLMRobertaTokenizer):
    """LayoutXLM."""

    labels_marks = True


class UdopTokenizer(BoxesMixin, T5Tokenizer):
    """UDOP: T5's; boxes where words are given, plain text without."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        **T5Tokenizer.special_tokens,
        "sep_token": "</s>",
        "eos_token": AddedToken("</s>", special=True, normalized=False),
    }
    boxes_required = False
