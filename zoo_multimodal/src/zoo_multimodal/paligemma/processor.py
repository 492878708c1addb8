"""Processor of PaliGemma: image placeholders, the start token, the prompt and a line feed."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


class PaliGemmaProcessor(ProcessorMixin):
    """A SigLIP image processor and a Gemma tokenizer."""

    attributes = ("image_processor", "tokenizer")
    image_token = "<image>"

    def __call__(
        self, images: Any = None, text: Any = None, *, suffix: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pixels of `images`, and ids of `text`, one image a text.

        Args:
            images: one image or a list. text: one prompt or a list; by default empty.
            suffix: what the model is to write, one or a list: then there are `labels`, of which those of
                the prompt are -100.

        Raises:
            ProcessingError: no images, or another number of them than of texts.
        """
        if images is None:
            raise ProcessingError("PaliGemmaProcessor needs images: it places their features before the text")
        groups = self.route(kwargs)
        pixels = self.image_processor(images, **groups["images_kwargs"])
        count = len(pixels["pixel_values"])
        prompts = [text or ""] if text is None or isinstance(text, str) else list(text)
        if len(prompts) != count:
            raise ProcessingError(f"{count} images and {len(prompts)} texts were given; pass one for each")
        marks = self.image_token * int(self.image_processor.image_seq_length)
        prompts = [
            f"{marks}{self.tokenizer.bos_token}{prompt.replace(self.image_token, '')}\n" for prompt in prompts
        ]
        options = {**groups["text_kwargs"], "add_special_tokens": False}
        if suffix is None:
            return BatchFeature({**self.tokenizer(prompts, **options), **pixels})
        written = [suffix] if isinstance(suffix, str) else list(suffix)
        ends = [one + self.tokenizer.eos_token for one in written]
        encoded = self.tokenizer(prompts, text_pair=ends, return_token_type_ids=True, **options)
        return BatchFeature({**encoded, "labels": self.labels(encoded), **pixels})

    @staticmethod
    def labels(encoded: Any) -> Any:
        """The ids of the second segment, -100 elsewhere."""
        ids, kinds = encoded["input_ids"], encoded["token_type_ids"]
        if isinstance(ids, list):
            return [
                [token if kind else -100 for token, kind in zip(row, of, strict=True)]
                for row, of in zip(ids, kinds, strict=True)
            ]
        return ids * (kinds != 0) - 100 * (kinds == 0)
