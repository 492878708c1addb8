"""Processor of TVP: frames and sentences in one call."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import ProcessorMixin


class TvpProcessor(ProcessorMixin):
    """A TVP image processor, for frames as `images`, and a BERT tokenizer."""

    attributes = ("image_processor", "tokenizer")

    def post_process_video_grounding(self, logits: Any, video_durations: float) -> tuple[float, float]:
        """Start and end in seconds, to a tenth, from logits (1, 2) and the video's length in seconds."""
        start, end = (round(float(fraction) * video_durations, 1) for fraction in logits[0])
        return start, end
