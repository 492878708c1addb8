"""Processor of Dia: bytes of text, codes of a voice to continue, and sound of codes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoo_audio.features.files import write_wav
from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

AUDIO = {
    "eos_token_id": 1024,
    "pad_token_id": 1025,
    "bos_token_id": 1026,
    "delay_pattern": [0, 8, 9, 10, 11, 12, 13, 14, 15],
    "generation": True,
}


class DiaProcessor(ProcessorMixin):
    """A feature extractor of waveforms, a tokenizer, and a codec.

    `audio_tokenizer` is a DAC model, given to `from_pretrained` or here; what files say of it loads nothing.
    """

    attributes = ("feature_extractor", "tokenizer")
    defaults = {
        "text_kwargs": {"padding": True, "padding_side": "right", "add_special_tokens": False},
        "audio_kwargs": {**AUDIO, "sampling_rate": 44100},
    }

    def __init__(self, *components: Any, audio_tokenizer: Any = None, **values: Any) -> None:
        given = list(components)
        if len(given) == 3:
            audio_tokenizer = given.pop()
        super().__init__(*given, **values)
        self._codec = audio_tokenizer if callable(getattr(audio_tokenizer, "decode", None)) else None

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, **kwargs: Any) -> Any:
        """As `ProcessorMixin.from_pretrained`; `audio_tokenizer` is the codec's model."""
        codec = kwargs.pop("audio_tokenizer", None)
        found = super().from_pretrained(pretrained_model_name_or_path, **kwargs)
        made = found[0] if isinstance(found, tuple) else found
        made._codec = codec
        return found

    @property
    def audio_tokenizer(self) -> Any:
        """The codec.

        Raises:
            ProcessingError: it was not given.
        """
        if self._codec is None:
            raise ProcessingError(
                'DiaProcessor needs its codec: codec = AutoModel.from_pretrained("descript/dac_44khz"), '
                "then DiaProcessor.from_pretrained(name, audio_tokenizer=codec)"
            )
        return self._codec

    def split(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """A call's keywords: of the text, of the feature extractor, and those about codes."""
        own = {name: kwargs.pop(name) for name in AUDIO if name in kwargs}
        groups = self.route({**kwargs, "return_tensors": kwargs.get("return_tensors", "pt")})
        if groups["text_kwargs"]["return_tensors"] != "pt":
            raise ProcessingError("DiaProcessor gives tensors of torch alone: return_tensors='pt'")
        sound = groups["audio_kwargs"]
        codes = {name: sound.pop(name) for name in AUDIO}
        return groups["text_kwargs"], sound, {**codes, **own}

    def __call__(  # type: ignore[override]
        self, text: Any = None, audio: Any = None, output_labels: bool = False, **kwargs: Any
    ) -> BatchFeature:
        """Bytes of `text`, and `decoder_input_ids` (batch, steps, channels), each channel late by its delay.

        Args:
            audio: a voice to continue for each text.
            output_labels: also `labels` (batch x channels, steps), -100 where none counts; needs
                generation=False.
            **kwargs: `generation` (codes are to be continued, without an end), `delay_pattern`,
                `bos_token_id`, `eos_token_id`, `pad_token_id`, and of the components.
        """
        if text is None:
            raise ProcessingError("DiaProcessor needs text; a voice is given beside it")
        of_text, of_sound, codes = self.split(kwargs)
        if output_labels and codes["generation"]:
            raise ProcessingError("output_labels=True is for training: pass generation=False with it")
        if output_labels and audio is None:
            raise ProcessingError("output_labels=True needs audio: labels are its codes")
        found = dict(self.tokenizer(text, **of_text))
        rows = len(found["input_ids"])
        parts = [torch.zeros(0, len(codes["delay_pattern"]), dtype=torch.int32)] * rows
        if audio is not None:
            parts = self.encoded(audio, of_sound)
            if len(parts) != rows:
                raise ProcessingError(f"{rows} texts came with {len(parts)} sounds; pass one for each")
        ids, mask = self.delayed(parts, codes, ends=audio is not None and not codes["generation"])
        if output_labels:
            hidden = (ids == codes["pad_token_id"]) | (ids == codes["bos_token_id"])
            labels = ids.masked_fill(hidden, -100)[:, 1:].transpose(1, 2).flatten(0, 1)
            found["labels"] = labels.long()
            ids, mask = ids[:, :-1], mask[:, :-1]
        return BatchFeature({**found, "decoder_input_ids": ids, "decoder_attention_mask": mask})

    def encoded(self, audio: Any, options: dict[str, Any]) -> list[Tensor]:
        """Codes (frames, channels) of each sound."""
        codec, hop = self.audio_tokenizer, self.feature_extractor.hop_length
        batch = self.feature_extractor(audio, **options)
        parts = []
        for wave, mask in zip(batch["input_values"], batch["padding_mask"], strict=True):
            samples = -(-int(mask.sum()) // hop) * hop
            with torch.no_grad():
                codes = codec.encode(wave[None, :, :samples].to(codec.device)).audio_codes
            parts.append(codes[0].t().to("cpu", torch.int32))
        return parts

    @staticmethod
    def delayed(parts: list[Tensor], codes: dict[str, Any], *, ends: bool) -> tuple[Tensor, Tensor]:
        """Codes of all rows, filled up on the left and late by their delays, and the mask of the former."""
        delays, begin, pad = codes["delay_pattern"], codes["bos_token_id"], codes["pad_token_id"]
        channels, longest = len(delays), max(len(part) for part in parts) + 1 + ends
        ids = torch.full((len(parts), longest + max(delays), channels), pad, dtype=torch.int32)
        mask = torch.ones(ids.shape[:2], dtype=torch.int64)
        for row, part in enumerate(parts):
            if part.shape[1] != channels:
                raise ProcessingError(
                    f"the codec gives {part.shape[1]} codes a frame and delay_pattern has {channels}"
                )
            start = longest - len(part) - ends
            line = torch.full((longest + max(delays), channels), pad, dtype=torch.int32)
            line[:start] = begin
            line[start : start + len(part)] = part
            if ends:
                line[start + len(part)] = codes["eos_token_id"]
            for channel, delay in enumerate(delays):
                ids[row, :delay, channel] = begin
                ids[row, delay:, channel] = line[: len(line) - delay, channel]
            mask[row, : start - 1] = 0
        return ids, mask

    # Sound

    def get_audio_prompt_len(self, decoder_attention_mask: Tensor, **kwargs: Any) -> int:
        """Steps of the voice that is continued, its start included."""
        _, _, codes = self.split(kwargs)
        return int(decoder_attention_mask.shape[1]) - max(codes["delay_pattern"])

    def batch_decode(  # type: ignore[override]
        self, decoder_input_ids: Tensor, audio_prompt_len: int | None = None, **kwargs: Any
    ) -> list[Tensor]:
        """Waveforms (samples,) of codes (batch, steps, channels) as `generate` gives them.

        Args:
            audio_prompt_len: steps to leave out, see `get_audio_prompt_len`; by default the start.
        """
        _, _, codes = self.split(kwargs)
        delays, codec = codes["delay_pattern"], self.audio_tokenizer
        steps = decoder_input_ids.shape[1] - max(delays)
        if steps < 1 or decoder_input_ids.shape[2] != len(delays):
            raise ProcessingError(
                f"codes are {tuple(decoder_input_ids.shape)}; expected (batch, more than {max(delays)} "
                f"steps, {len(delays)} channels)"
            )
        lined = [decoder_input_ids[:, delay : delay + steps, c] for c, delay in enumerate(delays)]
        ends = torch.tensor([codes["eos_token_id"], codes["pad_token_id"]], device=decoder_input_ids.device)
        sounds = []
        for row in torch.stack(lined, dim=2):
            begun = int((row[:, 0] == codes["bos_token_id"]).sum())
            start = begun if audio_prompt_len is None else audio_prompt_len
            over = torch.isin(row[start:, 0], ends).nonzero()
            kept = row[start : start + int(over[0]) if len(over) else None]
            with torch.no_grad():
                wave = codec.decode(audio_codes=kept.t()[None].long().to(codec.device)).audio_values
            sounds.append(wave.flatten().cpu())
        return sounds

    def decode(  # type: ignore[override]
        self, decoder_input_ids: Tensor, audio_prompt_len: int | None = None, **kwargs: Any
    ) -> Tensor:
        """As `batch_decode`, of one row (1, steps, channels)."""
        if len(decoder_input_ids) != 1:
            raise ProcessingError(f"decode takes one row, got {len(decoder_input_ids)}; use batch_decode")
        return self.batch_decode(decoder_input_ids, audio_prompt_len, **kwargs)[0]

    def save_audio(
        self, audio: Any, saving_path: str | os.PathLike[str] | Sequence[Any], **kwargs: Any
    ) -> None:
        """Write one waveform, or several to as many paths, as 16-bit WAV files."""
        sounds = list(audio) if isinstance(audio, (list, tuple)) else [audio]
        paths = [saving_path] if isinstance(saving_path, (str, os.PathLike)) else list(saving_path)
        if len(sounds) != len(paths):
            raise ProcessingError(f"{len(sounds)} sounds came with {len(paths)} paths; pass one for each")
        rate = kwargs.get("sampling_rate", self.defaults["audio_kwargs"]["sampling_rate"])
        for sound, path in zip(sounds, paths, strict=True):
            samples = sound.detach().cpu().float().numpy() if isinstance(sound, Tensor) else sound
            write_wav(path, samples, rate)
