"""Processor of Whisper."""

from __future__ import annotations

from typing import Any

from zoo_audio.blocks.processor import SpeechProcessor


class WhisperProcessor(SpeechProcessor):
    """A feature extractor of sound and a tokenizer that knows languages, tasks and timestamps."""

    def get_decoder_prompt_ids(
        self, task: str | None = None, language: str | None = None, no_timestamps: bool = True
    ) -> list[tuple[int, int]]:
        """(place, id) of the tokens that a transcription in `language`, or a translation, begins with."""
        return self.tokenizer.get_decoder_prompt_ids(
            task=task, language=language, no_timestamps=no_timestamps
        )

    def get_prompt_ids(self, text: str, return_tensors: str = "np") -> Any:
        """Ids of an earlier text that sets the style of the transcription."""
        return self.tokenizer.get_prompt_ids(text, return_tensors=return_tensors)
