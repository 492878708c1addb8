"""What is said in sounds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from inspect import signature
from typing import TYPE_CHECKING, Any

from zoo_core.cli import language
from zoo_core.cli.tasks.base import Answer, Task
from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    from torch import Tensor

    from zoo_core.cli.terminal import Terminal

_CTC = "AutoModelForCTC"
_WINDOW, _EDGE = 30, 5
"""Seconds that a CTC model hears at a time, and of these at either edge that only give context."""


class Transcribe(Task):
    """The words of a sound of any length; other sampling rates are converted."""

    auto_classes = ("AutoModelForSpeechSeq2Seq", _CTC)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        language.add_writing_options(parser, max_new_tokens=None)
        parser.add_argument("--num-beams", type=int, metavar="N", help="search with N beams")
        parser.add_argument(
            "--language", metavar="CODE", help="of the sound; of the text where the model translates"
        )
        parser.add_argument("--translate", action="store_true", help="into English, where the model can")
        parser.add_argument("--timestamps", action="store_true", help="with the seconds of each part")

    def prepare(self) -> None:
        self.extractor = self.part("AutoFeatureExtractor")
        self.tokenizer = self.part("AutoTokenizer")
        self.settings = {} if self.auto_class == _CTC else language.settings(self.arguments)
        wishes = {
            "--language": self.arguments.language,
            "--translate": self.arguments.translate,
            "--timestamps": self.arguments.timestamps and self.auto_class != _CTC,
        }
        for option, wish in wishes.items():
            if wish:
                self.settings |= self._keyword(option, wish)

    def _keyword(self, option: str, wish: Any) -> dict[str, Any]:
        """The keyword of this model's ``generate`` that fulfils an option."""
        known = signature(self.model.generate).parameters if self.auto_class != _CTC else {}
        ways = {
            "--language": {"language": wish, "tgt_lang": wish},
            "--translate": {"task": "translate"},
            "--timestamps": {"return_timestamps": True},
        }[option]
        found = next(({name: value} for name, value in ways.items() if name in known), None)
        if found is None:
            raise ProcessingError(f"{type(self.model).__name__} has no such choice: leave out {option}")
        return found

    def answer(self, item: str) -> Answer:
        (wave,) = self.extractor.sounds([item], None, True)
        return self.aligned(wave) if self.auto_class == _CTC else self.written(wave)

    def written(self, wave: Tensor) -> Answer:
        """The text that a decoder writes."""
        rate = self.extractor.sampling_rate
        window = getattr(self.extractor, "n_samples", None)
        keywords: dict[str, Any] = {}
        if window is not None and wave.shape[-1] > window:  # the model goes through it by itself
            keywords = {"truncation": False, "padding": "longest", "return_attention_mask": True}
        inputs = self.extractor([wave], sampling_rate=rate, return_tensors="pt", **keywords)
        settings = {**self.settings}
        if keywords or "generate_speech" in signature(self.model.generate).parameters:
            settings |= {"return_timestamps": True} if keywords else {"generate_speech": False}
        ids = self.model.generate(**self.placed(inputs), **settings)
        ids = (ids[0] if isinstance(ids, tuple) else ids)[0]
        text = self.tokenizer.decode(ids, skip_special_tokens=True).strip()
        if not self.arguments.timestamps:
            return {"text": text}
        found = self.tokenizer.decode(ids, output_offsets=True)["offsets"]
        parts = [
            {"start": part["timestamp"][0], "end": part["timestamp"][1], "text": part["text"].strip()}
            for part in found
        ]
        return {"text": text, "parts": parts}

    def aligned(self, wave: Tensor) -> Answer:
        """The text of a model that says a letter for each moment, window by window."""
        import torch

        rate = self.extractor.sampling_rate
        pieces = list(self._windows(wave, rate))
        ids = torch.cat([frames for frames, _ in pieces]).tolist()
        seconds = pieces[0][1] / rate
        found = self.tokenizer.decode(ids, output_word_offsets=self.arguments.timestamps)
        if not self.arguments.timestamps:
            return {"text": str(found).strip()}
        parts = [
            {
                "start": round(word["start_offset"] * seconds, 3),
                "end": round(word["end_offset"] * seconds, 3),
                "text": word["word"],
            }
            for word in found["word_offsets"]
        ]
        return {"text": found["text"].strip(), "parts": parts}

    def _windows(self, wave: Tensor, rate: int) -> Iterator[tuple[Tensor, float]]:
        """The ids of each window without its edges, and how many samples one id stands for."""
        from tqdm import tqdm

        window, edge = _WINDOW * rate, _EDGE * rate
        starts = range(0, max(wave.shape[-1] - 2 * edge, 1), window - 2 * edge)
        quiet = len(starts) == 1 or not sys.stderr.isatty()
        for start in tqdm(starts, unit="window", leave=False, disable=quiet):
            part = wave[..., start : start + window]
            inputs = self.extractor([part], sampling_rate=rate, return_tensors="pt")
            ids = self.call(inputs).logits[0].argmax(-1)
            samples = part.shape[-1] / len(ids)
            first = 0 if start == 0 else round(edge / samples)
            last = len(ids) if start == starts[-1] else len(ids) - round(edge / samples)
            yield ids[first:last], samples

    def show(self, answer: Answer, terminal: Terminal) -> None:
        if "parts" not in answer:
            terminal.line(answer["text"])
            return
        terminal.table(
            [(_clock(part["start"]), _clock(part["end"]), part["text"]) for part in answer["parts"]]
        )


def _clock(seconds: float | None) -> str:
    """Seconds as ``1:02.40``; an end that was not heard is empty."""
    return "" if seconds is None else f"{int(seconds // 60)}:{seconds % 60:05.2f}"
