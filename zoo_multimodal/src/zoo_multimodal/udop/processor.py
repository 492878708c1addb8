"""Processor of UDOP: a page, its words with their boxes, and a prompt."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature
from zoo_multimodal.layoutlmv3.processor import LayoutLMv3Processor


class UdopProcessor(LayoutLMv3Processor):
    """As LayoutLMv3's; called with `text_target` alone it encodes what the model shall write."""

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, *, text_target: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As LayoutLMv3's."""
        if text_target is not None:
            options = self.route(kwargs)["text_kwargs"]
            return BatchFeature(dict(self.tokenizer(text_target=text_target, **options)))
        return super().__call__(images, text, **kwargs)
