"""Processor of Qwen2-Audio: each mark in the text becomes a placeholder for each feature of a sound."""

from __future__ import annotations

import re
from typing import Any

from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.placeholders import expand_placeholders, share_out


class Qwen2AudioProcessor(ProcessorMixin):
    """A Whisper feature extractor and a tokenizer.

    audio_token: the mark. audio_bos_token, audio_eos_token: stand around the placeholders of a sound.
    """

    attributes = ("feature_extractor", "tokenizer")
    defaults = {
        "text_kwargs": {"padding": False},
        "audio_kwargs": {"padding": "max_length", "return_attention_mask": True},
    }
    audio_token: str = "<|AUDIO|>"
    audio_bos_token: str = "<|audio_bos|>"
    audio_eos_token: str = "<|audio_eos|>"

    def __call__(self, text: Any = None, audio: Any = None, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        """Ids of `text` with placeholders, and log-mel frames of `audio`, one for each mark.

        Raises:
            ProcessingError: the marks in the texts and the sounds do not agree in number.
        """
        if audio is None or text is None:
            return super().__call__(text=text, audio=audio, **kwargs)
        texts = [text] if isinstance(text, str) else list(text)
        sounds = list(audio) if isinstance(audio, (list, tuple)) else [audio]
        options = self.route(kwargs)["audio_kwargs"]
        found = dict(self.feature_extractor(sounds, **{**options, **self.defaults["audio_kwargs"]}))
        found["feature_attention_mask"] = found.pop("attention_mask")
        counts = [((int(row.sum()) - 1) // 2 - 1) // 2 + 1 for row in found["feature_attention_mask"]]
        bare = re.escape(self.audio_token)
        framed = re.compile(f"{re.escape(self.audio_bos_token)}{bare}{re.escape(self.audio_eos_token)}")
        whole = self.audio_bos_token + self.audio_token + self.audio_eos_token
        texts = [re.sub(bare, lambda _: whole, framed.sub(self.audio_token, one)) for one in texts]
        shared: Any = share_out(counts, texts, self.audio_token, what="sound")
        texts = expand_placeholders(texts, self.audio_token, shared, what="sound")
        return BatchFeature({**super().__call__(text=texts, **kwargs), **found})
