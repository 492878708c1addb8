"""Processor of ColPali: pages and questions, each with the prompt that it was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_multimodal.media_text import MediaTextProcessor
from zoo_multimodal.paligemma.processor import PaliGemmaProcessor

if TYPE_CHECKING:
    from torch import Tensor

AUGMENTED = 10
"""Padding tokens after a question, which the model may use as it likes."""


class RetrievalProcessor(MediaTextProcessor):
    """A processor of pages or of questions, which it scores against each other.

    visual_prompt_prefix: the text with each page. query_prefix: stands before each question.
    """

    visual_prompt_prefix: str
    query_prefix: str

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        """Pages (`images`, one or a list) or questions (`text`, one or a list) as inputs of the model.

        Raises:
            ProcessingError: both were given, or neither.
        """
        if (images is None) == (text is None):
            raise ProcessingError("pass either images (pages) or text (questions)")
        groups = self.route(kwargs)
        for group in ("text_kwargs", "images_kwargs"):
            groups[group] = {"return_tensors": "pt", **groups[group]}
        groups["text_kwargs"] = {"padding": "longest", **groups["text_kwargs"]}
        if images is None:
            questions = [text] if isinstance(text, str) else list(text)
            texts = [self.question(f"{self.query_prefix}{one}") for one in questions]
            return BatchFeature(self.encode(texts, groups["text_kwargs"]))
        return self.pages(list(images) if isinstance(images, (list, tuple)) else [images], groups)

    def question(self, text: str) -> str:
        """A question with its prefix as the model reads it."""
        return text + str(self.tokenizer.pad_token) * AUGMENTED

    def pages(self, images: list[Any], groups: dict[str, dict[str, Any]]) -> BatchFeature:
        """The inputs of pages."""
        raise NotImplementedError

    def process_images(self, images: Any = None, **kwargs: Any) -> BatchFeature:
        """See a call with `images`."""
        return self(images=images, **kwargs)

    def process_queries(self, text: Any, **kwargs: Any) -> BatchFeature:
        """See a call with `text`."""
        return self(text=text, **kwargs)

    def score_retrieval(
        self,
        query_embeddings: Tensor | Sequence[Tensor],
        passage_embeddings: Tensor | Sequence[Tensor],
        batch_size: int = 128,
        output_dtype: Any = None,
        output_device: Any = "cpu",
    ) -> Tensor:
        """Scores (queries, passages): for each token of a question its best match in the page, summed.

        Args:
            query_embeddings, passage_embeddings: (items, tokens, dimension), or lists of (tokens, dimension).
            batch_size: items of each that are compared at a time.
        """
        import torch
        from torch.nn.utils.rnn import pad_sequence

        if len(query_embeddings) == 0 or len(passage_embeddings) == 0:
            raise ProcessingError("there are no queries or no passages to score")

        def batches(items: Tensor | Sequence[Tensor]) -> list[Tensor]:
            starts = range(0, len(items), batch_size)
            return [pad_sequence(list(items[i : i + batch_size]), batch_first=True) for i in starts]

        passages = batches(passage_embeddings)
        rows = [
            torch.cat(
                [torch.einsum("qnd,psd->qpns", one, page.to(one)).amax(3).sum(2) for page in passages], dim=1
            )
            for one in batches(query_embeddings)
        ]
        return torch.cat(rows).to(device=output_device, dtype=output_dtype)


class ColPaliProcessor(RetrievalProcessor, PaliGemmaProcessor):
    """A SigLIP image processor and a Gemma tokenizer."""

    visual_prompt_prefix: str = "Describe the image."
    query_prefix: str = "Question: "

    def question(self, text: str) -> str:
        return f"{self.tokenizer.bos_token}{super().question(text)}\n"

    def encode(self, texts: list[str], options: dict[str, Any]) -> dict[str, Any]:
        return super().encode(texts, {**options, "add_special_tokens": False})

    def pages(self, images: list[Any], groups: dict[str, dict[str, Any]]) -> BatchFeature:
        prompts = [self.visual_prompt_prefix] * len(images)
        return PaliGemmaProcessor.__call__(
            self,
            images,
            prompts,
            text_kwargs=groups["text_kwargs"],
            images_kwargs=groups["images_kwargs"],
        )
