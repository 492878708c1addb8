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


class BoxesMixin(PreTrainedTokenizerFast):
    """Calls take words and a box (x0, y0, x1, y1) for each; tokens get their word's box as ``bbox``.

    text: the words of a page, or a question (str) with the words as ``text_pair``; batches of either.
    boxes: one per word. word_labels: one per word, given to its first token alone where
    ``only_label_first_subword``; they come back as ``labels``.
    """

    settings: ClassVar[Mapping[str, Any]] = {
        "cls_token_box": [0, 0, 0, 0],
        "sep_token_box": [1000, 1000, 1000, 1000],
        "pad_token_box": [0, 0, 0, 0],
        "pad_token_label": -100,
        "only_label_first_subword": True,
    }
    boxes_required: ClassVar[bool] = True

    cls_token_box: Box
    sep_token_box: Box
    pad_token_box: Box
    #: whether a word's label stands at a lone word mark and at the piece after it, as both begin the word
    labels_marks: ClassVar[bool] = False
    pad_token_label: int
    only_label_first_subword: bool

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
        question = text_pair is not None
        words, single = read_inputs(text_pair if question else text, None, is_split_into_words=True)
        first = [text] if question and single else text
        if question:
            if isinstance(text, str) != single or len(first) != len(words):
                raise TokenizerError("text holds one question (str) for each list of words in text_pair.")
            inputs: tuple[Any, Any] = ([[each] for each in first], words)
        else:
            inputs = (words, None)
        boxes = [boxes] if single else boxes
        labels = [word_labels] if single and word_labels is not None else word_labels
        _check_lengths(words, boxes, "boxes")
        if labels is not None:
            _check_lengths(words, labels, "word_labels")
        tensors = kwargs.pop("return_tensors", None)
        kwargs["is_split_into_words"] = True
        overflow = kwargs.get("return_overflowing_tokens", False)
        encoded = super().__call__(*inputs, *args, **kwargs)
        rows = encoded.encodings or []
        samples = encoded["overflow_to_sample_mapping"] if overflow else range(len(rows))
        encoded["bbox"] = [self._boxes(row, boxes[i], question) for row, i in zip(rows, samples, strict=True)]
        if labels is not None:
            encoded["labels"] = [
                self._labels(row, labels[i], question) for row, i in zip(rows, samples, strict=True)
            ]
        if single and tensors is None and not overflow:
            data = {key: value[0] for key, value in encoded.items()}
            return BatchEncoding(data, rows, n_sequences=encoded.n_sequences)
        return encoded.convert_to_tensors(tensors)

    def _boxes(self, row: Encoding, boxes: Sequence[Box], question: bool) -> list[list[int]]:
        ends = {self.cls_token: self.cls_token_box, self.sep_token: self.sep_token_box}
        found = []
        for token, word, sequence in zip(row.tokens, row.word_ids, row.sequence_ids, strict=True):
            if word is None:
                box = ends.get(token, self.pad_token_box)
            else:
                box = self.pad_token_box if question and sequence == 0 else boxes[word]
            found.append(list(box))
        return found

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


def _check_lengths(words: Sequence[Sequence[str]], given: Any, name: str) -> None:
    if len(given) != len(words):
        raise TokenizerError(f"{name} has {len(given)} rows for {len(words)} lists of words.")
    for row, (each, values) in enumerate(zip(words, given, strict=True)):
        if len(each) != len(values):
            raise TokenizerError(f"{name}: row {row} has {len(values)} for {len(each)} words; one per word.")
        if name == "boxes" and any(len(box) != 4 for box in values):
            raise TokenizerError(f"boxes: row {row} holds a box without four numbers (x0, y0, x1, y1).")
        for word, box in enumerate(values if name == "boxes" else ()):
            if any(isinstance(side, str) or not 0 <= side <= 1000 for side in box):
                raise TokenizerError(
                    f"boxes: word {word} of row {row} lies at {list(box)}, outside the page: sides are 0 to "
                    "1000, so divide pixels by the page's width or height and multiply by 1000."
                )


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
