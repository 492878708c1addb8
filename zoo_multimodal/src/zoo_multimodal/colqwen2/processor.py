"""Processor of ColQwen2: as ColPali's, with pages of any shape."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature
from zoo_core.processing.batch_feature import array_kind, stack
from zoo_multimodal.colpali.processor import RetrievalProcessor
from zoo_multimodal.qwen2_vl.processor import Qwen2VLProcessor


class ColQwen2Processor(RetrievalProcessor, Qwen2VLProcessor):
    """An image processor and a tokenizer."""

    attributes = ("image_processor", "tokenizer")
    visual_prompt_prefix: str = (
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>"
        "Describe the image.<|im_end|><|endoftext|>"
    )
    query_prefix: str = "Query: "

    def pages(self, images: list[Any], groups: dict[str, dict[str, Any]]) -> BatchFeature:
        import numpy as np

        texts = [self.visual_prompt_prefix] * len(images)
        options = groups["images_kwargs"]
        wanted = array_kind(options.pop("return_tensors"))
        found = Qwen2VLProcessor.__call__(
            self,
            images,
            texts,
            text_kwargs=groups["text_kwargs"],
            images_kwargs={**options, "return_tensors": "np"},
        )
        grid = np.asarray(found["image_grid_thw"])
        rows = np.split(np.asarray(found["pixel_values"]), grid.prod(-1).cumsum()[:-1])
        padded = np.zeros((len(rows), max(map(len, rows)), rows[0].shape[-1]), dtype=rows[0].dtype)
        for place, patches in zip(padded, rows, strict=True):
            place[: len(patches)] = patches
        found["pixel_values"] = stack("pixel_values", padded, wanted)
        found["image_grid_thw"] = stack("image_grid_thw", grid, wanted)
        return found
