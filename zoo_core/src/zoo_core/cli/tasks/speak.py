"""Texts as sound."""

from __future__ import annotations

import argparse
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo_core.cli import language
from zoo_core.cli.tasks.base import Answer, Task, text_of
from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    from torch import Tensor

    from zoo_core.cli.terminal import Terminal

_SPECTROGRAM = "AutoModelForTextToSpectrogram"


class Speak(Task):
    """Speech, or whatever sound a text describes, as 16-bit WAV."""

    auto_classes = ("AutoModelForTextToWaveform", _SPECTROGRAM)
    writes = True

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        language.add_writing_options(parser, max_new_tokens=None)
        parser.add_argument("--language", metavar="CODE", help="of the speech, where the model translates")
        parser.add_argument("--speaker", metavar="N|FILE", help="a speaker's number, or a .npy of its vector")
        parser.add_argument("--vocoder", metavar="MODEL", help="makes sound of the model's spectrograms")

    def prepare(self) -> None:
        import zoo_core

        self.processor = self.part("AutoTokenizer" if self.auto_class == _SPECTROGRAM else "AutoProcessor")
        self.count = 0
        self.vocoder = None
        if self.auto_class == _SPECTROGRAM:
            if self.arguments.vocoder is None:
                raise ProcessingError(
                    f"{type(self.model).__name__} makes spectrograms: --vocoder names the model that makes "
                    f"sound of them, such as microsoft/speecht5_hifigan"
                )
            self.vocoder = zoo_core.AutoModel.from_pretrained(self.arguments.vocoder)

    def answer(self, item: str) -> Answer:
        self.count += 1
        path = self.target(f"speech-{self.count}", ".wav")
        inputs = self.placed(self.processor(text=text_of(item), return_tensors="pt"))
        samples, rate = self.sound(inputs), self.rate()
        write_wav(path, samples, rate)
        return {"seconds": round(samples.shape[-1] / rate, 3), "rate": rate, "written": str(path)}

    def sound(self, inputs: dict[str, Any]) -> Tensor:
        """(samples,) or (channels, samples)."""
        if self.vocoder is not None:
            keywords = self.speaker("speaker_embeddings")
            made = self.model.generate_speech(inputs["input_ids"], vocoder=self.vocoder, **keywords)
        elif not self.model.can_generate():
            made = self.model(**inputs, **self.speaker("speaker_id")).waveform
        else:
            settings = {**language.settings(self.arguments), **self.speaker("speaker_id")}
            if self.arguments.language:
                settings["tgt_lang"] = self.arguments.language
            made = self.model.generate(**inputs, **settings)
        made = made[0] if isinstance(made, tuple) else made
        samples: Tensor = made.float().cpu().squeeze()
        return samples

    def speaker(self, keyword: str) -> dict[str, Any]:
        """The keyword that chooses the speaker: a number, or a vector (1, size) from a file."""
        said = self.arguments.speaker
        if said is None:
            return {}
        if said.isdigit():
            return {keyword: int(said)}
        import numpy as np
        import torch

        try:
            vector = np.load(Path(said), allow_pickle=False)
        except ValueError as error:
            raise ProcessingError(f"--speaker {said} is no vector in a .npy file: {error}") from None
        return {keyword: torch.from_numpy(vector).float().reshape(1, -1)}

    def rate(self) -> int:
        """Samples a second, wherever the checkpoint says it."""
        places = (
            getattr(self.vocoder, "config", None),
            self.config,
            getattr(self.config, "audio_encoder", None),
            getattr(self.model, "generation_config", None),
        )
        said = (getattr(place, name, None) for place in places for name in ("sampling_rate", "sample_rate"))
        return int(next((rate for rate in said if rate), 16000))

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.line(f"  {answer['seconds']} s at {answer['rate']} Hz, in {answer['written']}")


def write_wav(path: Path, samples: Tensor, rate: int) -> None:
    """Samples between -1 and 1, (samples,) or (channels, samples), as 16-bit PCM."""
    import torch

    channels = samples[None] if samples.ndim == 1 else samples
    levels = (channels.clamp(-1, 1) * 32767).round().to(torch.int16).T.contiguous()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(levels.numpy().astype("<i2").tobytes())
