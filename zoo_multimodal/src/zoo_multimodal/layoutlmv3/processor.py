"""Processor of LayoutLMv3: a page, and its words with their boxes, which may be read from it."""

from __future__ import annotations

from typing import Any, ClassVar

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


class LayoutLMv3Processor(ProcessorMixin):
    """An image processor, which may read the words (`apply_ocr`), and a tokenizer of words with boxes."""

    attributes = ("image_processor", "tokenizer")
    #: what the model calls the pixels
    pixels_name: ClassVar[str] = "pixel_values"

    def __call__(  # type: ignore[override]
        self,
        images: Any,
        text: Any = None,
        text_pair: Any = None,
        boxes: Any = None,
        word_labels: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Pixels of pages, and ids and boxes of their words.

        Args:
            images: a page or several.
            text: the words of each page; or a question (str) for each, with the words as `text_pair`. Where
                the image processor reads the words, a question or nothing.
            boxes: one (x0, y0, x1, y1) a word, in thousandths of the page. word_labels: one a word.
            **kwargs: keywords of the tokenizer and of the image processor. With
                `return_overflowing_tokens` the page is repeated for each of its pieces.

        Raises:
            ProcessingError: boxes or labels are given where words are read, or are missing where not.
        """
        groups = self.route(kwargs)
        features = dict(self.image_processor(images, **groups["images_kwargs"]))
        words, found = features.pop("words", None), features.pop("boxes", None)
        reads = "set image_processor.apply_ocr=False to give your own"
        if words is None and boxes is None:
            raise ProcessingError(f"{type(self).__name__} needs boxes=, one (x0, y0, x1, y1) per word")
        if words is not None and boxes is not None:
            raise ProcessingError(f"boxes= was given and the words are read from the page: {reads}")
        if words is not None and word_labels is not None:
            raise ProcessingError(f"word_labels= was given and the words are read from the page: {reads}")
        if words is not None and text is None:
            text = words
        elif words is not None and text_pair is None:
            text, text_pair = [text] if isinstance(text, str) else text, words
        options = groups["text_kwargs"]
        encoded = dict(
            self.tokenizer(
                text, text_pair, boxes=found if boxes is None else boxes, word_labels=word_labels, **options
            )
        )
        pixels = features.pop("pixel_values")
        if options.get("return_overflowing_tokens"):
            pixels = [pixels[int(page)] for page in encoded["overflow_to_sample_mapping"]]
        return BatchFeature({**encoded, self.pixels_name: pixels, **features})
