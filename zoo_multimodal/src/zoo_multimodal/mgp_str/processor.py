"""Processor of MGP-STR: pictures and their texts in, and of three readings of a picture the surest out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

if TYPE_CHECKING:
    from torch import Tensor


class MgpstrProcessor(ProcessorMixin):
    """A ViT image processor and a tokenizer of characters.

    The tokenizers of the two other alphabets, `bpe_tokenizer` and `wp_tokenizer`, are those of GPT-2 and
    BERT; they are loaded from the Hub when they are first used, unless set before.
    """

    attributes = ("image_processor", "tokenizer")

    @property
    def char_tokenizer(self) -> Any:
        """The tokenizer of characters."""
        return self.tokenizer

    @cached_property
    def bpe_tokenizer(self) -> Any:
        """The tokenizer of byte pairs."""
        return _hub_tokenizer("openai-community/gpt2")

    @cached_property
    def wp_tokenizer(self) -> Any:
        """The tokenizer of word pieces."""
        return _hub_tokenizer("google-bert/bert-base-uncased")

    def to_dict(self) -> dict[str, Any]:
        """As the base's; tokenizers that were loaded are no settings."""
        return {k: v for k, v in super().to_dict().items() if k not in ("bpe_tokenizer", "wp_tokenizer")}

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """Pixels of `images`, with `text` as `labels`; text alone is tokenized."""
        if images is None or text is None:
            return super().__call__(images=images, text=text, **kwargs)
        groups = self.route(kwargs)
        found = BatchFeature(self.image_processor(images, **groups["images_kwargs"]))
        found["labels"] = self.tokenizer(text, **groups["text_kwargs"])["input_ids"]
        return found

    def batch_decode(self, sequences: Sequence[Tensor]) -> dict[str, list[Any]]:  # type: ignore[override]
        """The surest reading of each picture, from the model's `logits`.

        Args:
            sequences: scores (batch, tokens, labels) of characters, byte pairs and word pieces.

        Returns:
            `generated_text` and `scores`, the product of the tokens' probabilities, by picture; all
            readings as `char_preds`, `bpe_preds` and `wp_preds`.
        """
        if len(sequences) != 3:
            raise ProcessingError(f"batch_decode takes the model's three logits, got {len(sequences)}")
        char, bpe, wp = sequences
        readings = [
            _read(char, self.char_decode, end=1, mark="[s]"),
            _read(bpe, self.bpe_decode, end=2, mark="#"),
            _read(wp, self.wp_decode, end=102, mark="[SEP]"),
        ]
        best = [max(row, key=lambda reading: reading[1]) for row in zip(*readings, strict=True)]
        return {
            "generated_text": [text for text, _ in best],
            "scores": [score for _, score in best],
            **{
                name: [text for text, _ in reading]
                for name, reading in zip(("char_preds", "bpe_preds", "wp_preds"), readings, strict=True)
            },
        }

    def char_decode(self, sequences: Any) -> list[str]:
        """Texts of ids (batch, tokens) of characters."""
        return [text.replace(" ", "") for text in self.char_tokenizer.batch_decode(sequences)]

    def bpe_decode(self, sequences: Any) -> list[str]:
        """Texts of ids of byte pairs."""
        return list(self.bpe_tokenizer.batch_decode(sequences))

    def wp_decode(self, sequences: Any) -> list[str]:
        """Texts of ids of word pieces."""
        return [text.replace(" ", "") for text in self.wp_tokenizer.batch_decode(sequences)]


def _hub_tokenizer(name: str) -> Any:
    from zoo_core import AutoTokenizer

    return AutoTokenizer.from_pretrained(name)


def _read(logits: Tensor, decode: Any, *, end: int, mark: str) -> list[tuple[str, float]]:
    """Text and probability of each row; the first token begins the text and does not count.

    A row without the token `end` has, as the reference has it, no probability, and one without its text
    `mark` loses its last character.
    """
    probabilities, ids = logits.float().softmax(-1)[:, 1:].max(-1)
    found = []
    for text, row, chances in zip(decode(ids), ids.tolist(), probabilities, strict=True):
        score = float(chances[: row.index(end) + 1].prod()) if end in row else 0.0
        found.append((text[: text.find(mark)], score))
    return found
