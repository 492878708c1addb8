"""Processor of Florence-2: placeholders of the image, then the question that a task's token stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_core.processing.placeholders import text_list
from zoo_multimodal.media_text import MediaTextProcessor

QUESTIONS = {
    "<OCR>": "What is the text in the image?",
    "<OCR_WITH_REGION>": "What is the text in the image, with regions?",
    "<CAPTION>": "What does the image describe?",
    "<DETAILED_CAPTION>": "Describe in detail what is shown in the image.",
    "<MORE_DETAILED_CAPTION>": "Describe with a paragraph what is shown in the image.",
    "<OD>": "Locate the objects with category name in the image.",
    "<DENSE_REGION_CAPTION>": "Locate the objects in the image, with their descriptions.",
    "<REGION_PROPOSAL>": "Locate the region proposals in the image.",
}
"""What the model was trained to answer, by the task's token, which stands alone."""

QUESTIONS_ABOUT = {
    "<CAPTION_TO_PHRASE_GROUNDING>": "Locate the phrases in the caption: {input}",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "Locate {input} in the image with mask",
    "<REGION_TO_SEGMENTATION>": "What is the polygon mask of region {input}",
    "<OPEN_VOCABULARY_DETECTION>": "Locate {input} in the image.",
    "<REGION_TO_CATEGORY>": "What is the region {input}?",
    "<REGION_TO_DESCRIPTION>": "What does the region {input} describe?",
    "<REGION_TO_OCR>": "What text is in the region {input}?",
}
"""The same of tasks whose token is followed by a text or a region."""


class Florence2Processor(MediaTextProcessor):
    """An image processor with `image_seq_length` and a tokenizer with an `image_token`.

    num_additional_image_tokens: features of an image beyond `image_seq_length`.
    """

    attributes = ("image_processor", "tokenizer")
    num_additional_image_tokens: int = 0
    post_processor_config: dict[str, Any] | None = None

    @property
    def image_token(self) -> str:
        """The placeholder of a feature."""
        return str(self.tokenizer.image_token)

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As the base's; each text, of one image, may be a task's token, maybe with its text behind it."""
        kwargs.setdefault("add_special_tokens", False)
        if images is None:
            return super().__call__(images, text, **kwargs)
        count = len(images) if isinstance(images, (list, tuple)) else 1
        texts = text_list(text) if text is not None else [""] * count
        if len(texts) != count:
            raise ProcessingError(f"{count} images came with {len(texts)} texts; pass one text for each")
        ends = self.tokenizer.bos_token, self.tokenizer.eos_token
        return super().__call__(
            images, [f"{self.image_token}{ends[0]}{question(one)}{ends[1]}" for one in texts], **kwargs
        )

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        count = self.image_processor.image_seq_length + self.num_additional_image_tokens
        return [count] * len(found["pixel_values"])


def question(prompt: str) -> str:
    """The question that a prompt with a task's token stands for; any other prompt is asked as it is."""
    for token, asked in QUESTIONS.items():
        if token in prompt:
            if prompt != token:
                raise ProcessingError(f"the prompt {prompt!r} must be {token} alone; the task takes no text")
            return asked
    for token, asked in QUESTIONS_ABOUT.items():
        if token in prompt:
            return asked.replace("{input}", prompt.replace(token, ""))
    return prompt
