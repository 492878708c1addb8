"""The two tokenizers of RAG."""

from __future__ import annotations

import os
from typing import Any, Self

from zoo_core.tokenization import BatchEncoding
from zoo_text.rag.config import RagConfig

QUESTIONS, ANSWERS = "question_encoder_tokenizer", "generator_tokenizer"


def load_tokenizers(name: str | os.PathLike[str], config: RagConfig, **kwargs: Any) -> tuple[Any, Any]:
    """The tokenizers of both sides, from their folders in a checkpoint."""
    from zoo_core import AutoTokenizer

    sides = ((config.question_encoder, QUESTIONS), (config.generator, ANSWERS))
    question, answer = (
        AutoTokenizer.from_pretrained(name, config=side, **{**kwargs, "subfolder": folder})
        for side, folder in sides
    )
    return question, answer


class RagTokenizer:
    """Questions are encoded with the question encoder's tokenizer, answers decoded with the generator's."""

    def __init__(self, question_encoder: Any, generator: Any) -> None:
        self.question_encoder, self.generator = question_encoder, generator

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *inputs: Any, **kwargs: Any
    ) -> Self:
        """Read both from the checkpoint's folders; `config` spares reading config.json."""
        config = kwargs.pop("config", None)
        if config is None:
            config = RagConfig.from_pretrained(pretrained_model_name_or_path)
        return cls(*load_tokenizers(pretrained_model_name_or_path, config, **kwargs))

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> None:
        """Write both, each to its folder."""
        self.question_encoder.save_pretrained(os.path.join(save_directory, QUESTIONS))
        self.generator.save_pretrained(os.path.join(save_directory, ANSWERS))

    def __call__(self, text: Any = None, *args: Any, text_target: Any = None, **kwargs: Any) -> BatchEncoding:
        """Encode questions; with `text_target` also answers, as `labels` (or alone, as input_ids)."""
        if text is None:
            return self.generator(text_target, *args, **kwargs)
        encoded: BatchEncoding = self.question_encoder(text, *args, **kwargs)
        if text_target is not None:
            encoded["labels"] = self.generator(text_target, *args, **kwargs)["input_ids"]
        return encoded

    def prepare_seq2seq_batch(
        self,
        src_texts: list[str],
        tgt_texts: list[str] | None = None,
        max_length: int | None = None,
        max_target_length: int | None = None,
        padding: str = "longest",
        return_tensors: str | None = None,
        truncation: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Questions and answers for training; the call with `text_target` is the newer form of it."""
        options = {"padding": padding, "return_tensors": return_tensors, "truncation": truncation, **kwargs}
        sides = (
            (self.question_encoder, src_texts, max_length),
            (self.generator, tgt_texts, max_target_length),
        )
        encoded, targets = (
            None
            if texts is None
            else tokenizer(texts, **options, **({} if most is None else {"max_length": most}))
            for tokenizer, texts, most in sides
        )
        if targets is not None:
            encoded["labels"] = targets["input_ids"]
        return encoded

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """The text of an answer's ids."""
        return self.generator.decode(*args, **kwargs)

    def batch_decode(self, *args: Any, **kwargs: Any) -> list[str]:
        """The texts of answers' ids."""
        return self.generator.batch_decode(*args, **kwargs)
