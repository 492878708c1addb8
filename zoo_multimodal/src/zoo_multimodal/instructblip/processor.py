"""Processor of InstructBLIP: the instruction goes to the language model and to the querying transformer."""

from __future__ import annotations

from typing import Any

from zoo_multimodal.blip_2.processor import Blip2Processor


class InstructBlipProcessor(Blip2Processor):
    """A BLIP image processor and two tokenizers.

    num_query_tokens: with images, that many of `image_token` stand before each text.
    """

    attributes = ("image_processor", "tokenizer", "qformer_tokenizer")
    subfolders = {"qformer_tokenizer": "qformer_tokenizer"}

    def encode(self, texts: list[str], options: dict[str, Any], *, placeholders: int) -> dict[str, Any]:
        """Ids and masks for the language model, and as `qformer_...` for the querying transformer."""
        asked = self.qformer_tokenizer(texts, **options)
        found = super().encode(texts, options, placeholders=placeholders)
        return {
            **found,
            "qformer_input_ids": asked["input_ids"],
            "qformer_attention_mask": asked["attention_mask"],
        }
