"""Processor of PaliGemma: image placeholders, the start token, the prompt and a line feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_core.tokenization import BatchEncoding
from zoo_multimodal.media_text import MediaTextProcessor

PLACES = [*(f"<loc{i:04}>" for i in range(1024)), *(f"<seg{i:03}>" for i in range(128))]
"""Tokens for coordinates and for the codes of masks."""


class PaliGemmaProcessor(MediaTextProcessor):
    """A SigLIP image processor and a Gemma tokenizer."""

    attributes = ("image_processor", "tokenizer")
    image_token = "<image>"

    def __init__(self, *components: Any, **values: Any) -> None:
        super().__init__(*components, **values)
        if not hasattr(self.image_processor, "image_seq_length"):
            raise ProcessingError(
                f"{type(self.image_processor).__name__} has no image_seq_length, the number of "
                "placeholders of an image; pass (image_size / patch_size)**2 to the image processor"
            )
        known = self.tokenizer.get_vocab()
        if self.image_token not in known:
            self.tokenizer.add_tokens([self.image_token], special_tokens=True)
        self.tokenizer.add_tokens([token for token in PLACES if token not in known])

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, *, suffix: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pixels of `images`, and ids of `text` behind the placeholders of its images.

        Args:
            images: one image; one for each text; a list for each text; or all those of the only text.
            text: one prompt or a list, by default empty; `<image>` may mark where the images stand.
            suffix: what the model is to write, one or a list: then there are `labels`, of which those of
                the prompt are -100.

        Raises:
            ProcessingError: no images, or another number of them than of texts or marks.
        """
        if images is None:
            raise ProcessingError("PaliGemmaProcessor needs images: it places their features before the text")
        groups = self.route(kwargs)
        prompts = [text or ""] if text is None or isinstance(text, str) else list(text)
        per_text = images_of(images, None if text is None or isinstance(text, str) else len(prompts))
        pixels = self.image_processor([image for one in per_text for image in one], **groups["images_kwargs"])
        texts = self.built(prompts, [len(one) for one in per_text])
        options = {**groups["text_kwargs"], "add_special_tokens": False}
        if suffix is None:
            return BatchFeature({**self.encode(texts, options), **pixels})
        wanted = options.pop("return_tensors", None)
        ends = [
            f"{one}{self.tokenizer.eos_token}" for one in ([suffix] if isinstance(suffix, str) else suffix)
        ]
        encoded = self.encode(texts, {**options, "text_pair": ends, "return_token_type_ids": True})
        rows = zip(encoded["input_ids"], encoded["token_type_ids"], strict=True)
        labels = [np.where(np.asarray(kinds) == 0, -100, ids) for ids, kinds in rows]
        encoded["labels"] = np.stack(labels) if len({len(row) for row in labels}) == 1 else labels
        return BatchFeature({**BatchEncoding(encoded, tensor_type=wanted), **pixels})

    def built(self, prompts: Sequence[str], counts: Sequence[int]) -> list[str]:
        """Each prompt with the placeholders of its images, the start token after them, and a line feed."""
        start, one = self.tokenizer.bos_token, self.image_token * int(self.image_processor.image_seq_length)
        if not any(self.image_token in prompt for prompt in prompts):
            pairs = zip(prompts, counts, strict=True)
            return [f"{one * count}{start}{prompt}\n" for prompt, count in pairs]
        texts = []
        for place, (prompt, count) in enumerate(zip(prompts, counts, strict=True)):
            head, mark, tail = prompt.rpartition(self.image_token)
            marks = prompt.count(self.image_token)
            if marks != count:
                raise ProcessingError(f"text {place} has {marks} {self.image_token!r} for {count} images")
            texts.append(f"{(head + mark).replace(self.image_token, one)}{start}{tail}\n")
        return texts


def images_of(images: Any, texts: int | None) -> list[list[Any]]:
    """The images of each of so many texts; None is a single text, which may have them all."""
    given = list(images) if isinstance(images, (list, tuple)) else [images]
    if given and isinstance(given[0], (list, tuple)):
        found = [list(one) for one in given]
    else:
        found = [given] if texts is None else [[image] for image in given]
    if len(found) != (texts or 1):
        raise ProcessingError(
            f"{len(found)} images and {texts or 1} texts were given; pass one (or a list) for each"
        )
    return found
