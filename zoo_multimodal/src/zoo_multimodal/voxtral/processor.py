"""Processor of Voxtral."""

from __future__ import annotations

from typing import Any

import torch

from zoo_core.processing import BatchFeature, ProcessorMixin


class VoxtralProcessor(ProcessorMixin):
    """A Whisper feature extractor, which sees sounds by chunks of thirty seconds, and a tokenizer."""

    attributes = ("feature_extractor", "tokenizer")
    defaults = {
        "text_kwargs": {"padding": True},
        "audio_kwargs": {
            "sampling_rate": 16000,
            "padding": True,
            "truncation": False,
            "pad_to_multiple_of": 480000,
        },
        "common_kwargs": {"return_tensors": "pt"},
    }

    def __call__(self, text: Any = None, audio: Any = None, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        """Ids of `text`, log-mel frames (chunks, bands, 3000) of `audio`."""
        chunked = int(self.defaults["audio_kwargs"]["pad_to_multiple_of"])
        found: dict[str, Any] = {} if text is None else dict(super().__call__(text=text, **kwargs))
        if audio is not None:
            sounds = list(audio) if isinstance(audio, (list, tuple)) else [audio]
            rows = [super(VoxtralProcessor, self).__call__(audio=one, **kwargs) for one in sounds]
            frames = chunked // self.feature_extractor.hop_length
            chunks = [c for row in rows for c in row["input_features"].split(frames, dim=-1)]
            found["input_features"] = torch.cat(chunks)
        return BatchFeature(found)
