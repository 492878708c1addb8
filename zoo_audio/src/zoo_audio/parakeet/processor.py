"""Processor of Parakeet."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature, ProcessorMixin


class ParakeetProcessor(ProcessorMixin):
    """A feature extractor of log-mel frames and a tokenizer; ids of `text` are the labels."""

    attributes = ("feature_extractor", "tokenizer")
    defaults = {
        "audio_kwargs": {"sampling_rate": 16000, "padding": "longest"},
        "text_kwargs": {"padding": True, "padding_side": "right", "add_special_tokens": False},
        "common_kwargs": {"return_tensors": "pt"},
    }

    def __call__(self, audio: Any, text: Any = None, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        inputs = super().__call__(audio=audio, **kwargs)
        if text is not None:
            inputs["labels"] = super().__call__(text=text, **kwargs)["input_ids"]
        return inputs
