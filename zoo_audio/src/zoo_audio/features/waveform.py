"""Feature extractors that hand on the waveform: padded, normalised, with a mask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor

from zoo_audio.features.base import AudioFeatureExtractor, Padding, normalize_waves
from zoo_audio.features.mel import MelBank
from zoo_audio.features.spectrum import Spectrum
from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature


class Wav2Vec2FeatureExtractor(AudioFeatureExtractor):
    """Waveforms of zero mean and unit variance."""

    return_attention_mask: bool = False
    do_normalize: bool = True

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        values, masks = self.fit(waves, padding)
        wanted = self.wants_mask(padding)
        if self.do_normalize:
            # Without a mask for the model, padding counts as sound.
            values = normalize_waves(values, masks, masked=wanted, padding_value=self.padding_value)
        return {"input_values": values, "attention_mask": masks if wanted else None}


class SpeechT5FeatureExtractor(Wav2Vec2FeatureExtractor):
    """Waveforms for the encoder; for the decoder, log10-mel spectrograms as targets."""

    feature_size: int = 1
    return_attention_mask: bool = True
    do_normalize: bool = False
    num_mel_bins: int = 80
    hop_length: int = 16
    win_length: int = 64
    win_function: str = "hann_window"
    frame_signal_scale: float = 1.0
    fmin: float = 80
    fmax: float = 7600
    mel_floor: float = 1e-10
    reduction_factor: int = 2

    def call_keywords(self) -> frozenset[str]:
        return super().call_keywords() | {"audio_target"}

    def __call__(  # type: ignore[override]
        self, audio: Any = None, audio_target: Any = None, **options: Any
    ) -> BatchFeature:
        """Inputs of `audio`, targets of `audio_target`; see `AudioFeatureExtractor`.

        Returns:
            `input_values` and `attention_mask` of the audio. A target alone stands in `input_values`
            (batch, frames, mels); with both it is `labels`, with `decoder_attention_mask`.
        """
        if audio_target is None:
            return super().__call__(audio, **options)
        targets = self.targets(audio_target, **options)
        given = audio is not None or any(name in options for name in ("raw_speech", "raw_audio"))
        if not given:
            return targets
        inputs = super().__call__(audio, **options)
        inputs["labels"] = targets["input_values"]
        if "attention_mask" in targets:
            inputs["decoder_attention_mask"] = targets["attention_mask"]
        return inputs

    def targets(
        self,
        audio_target: Any,
        *,
        sampling_rate: int | None = None,
        resample: bool | None = None,
        return_tensors: Any = None,
        **options: Any,
    ) -> BatchFeature:
        """Mel spectrograms (batch, frames, mels) of `audio_target`."""
        padding = self.padding_of(options)
        samples = self.sampling_rate // 1000
        frame = self.win_length * samples
        spectrum = Spectrum(
            frame=frame,
            hop=self.hop_length * samples,
            fft=1 << (frame - 1).bit_length(),
            window=self.win_function,
            power=1,
        )
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.num_mel_bins,
            rate=self.sampling_rate,
            low=self.fmin,
            high=self.fmax,
            slaney_norm=True,
        )
        waves = self.sounds(audio_target, sampling_rate, resample)
        mels = [spectrum(wave[None], bank)[0].clamp(min=self.mel_floor).log10().float() for wave in waves]
        values, masks = self.fit(mels, padding)
        found = {"input_values": values, "attention_mask": masks if self.wants_mask(padding) else None}
        return self.batch(found, return_tensors)


class CodecFeatureExtractor(AudioFeatureExtractor):
    """Waveforms (batch, channels, samples) and `padding_mask` (batch, samples) for neural codecs."""

    model_input_names = ["input_values", "padding_mask"]
    call_defaults: ClassVar[dict[str, Any]] = {"padding": None}

    sampling_rate: int = 24000

    @property
    def channels(self) -> int:
        return self.feature_size

    def prepared(self, waves: list[Tensor], padding: Padding) -> tuple[list[Tensor], Padding]:
        """Sounds (samples, channels) and how to pad them."""
        return waves, padding

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        if padding.padding is None:  # a call that says nothing pads to the longest
            padding = replace(padding, padding="max_length" if padding.truncation else True)
        elif padding.padding and padding.truncation:
            raise ProcessingError("pass either padding or truncation; codecs take whole chunks")
        turned = [wave[:, None] if wave.ndim == 1 else wave.T for wave in waves]
        values, masks = self.fit(*self.prepared(turned, padding))
        wanted = self.wants_mask(padding) and padding.padding is not False
        turned_back = values.transpose(1, 2) if isinstance(values, Tensor) else [v.T for v in values]
        return {"padding_mask": masks if wanted else None, "input_values": turned_back}


class DacFeatureExtractor(CodecFeatureExtractor):
    """Waveforms for DAC, in whole hops."""

    model_input_names = ["input_values", "n_quantizers"]

    sampling_rate: int = 16000
    hop_length: int = 512

    def prepared(self, waves: list[Tensor], padding: Padding) -> tuple[list[Tensor], Padding]:
        return waves, replace(padding, pad_to_multiple_of=self.hop_length)


class DiaFeatureExtractor(DacFeatureExtractor):
    """Waveforms for Dia, in whole hops."""


class EncodecFeatureExtractor(CodecFeatureExtractor):
    """Waveforms for EnCodec, in whole overlapping chunks where it works by chunks."""

    chunk_length_s: float | None = None
    overlap: float | None = None

    @property
    def chunk_length(self) -> int | None:
        """Samples of a chunk."""
        return None if self.chunk_length_s is None else int(self.chunk_length_s * self.sampling_rate)

    @property
    def chunk_stride(self) -> int | None:
        """Samples from the beginning of a chunk to that of the next."""
        if self.chunk_length is None or self.overlap is None:
            return None
        return max(1, int((1.0 - self.overlap) * self.chunk_length))

    def prepared(self, waves: list[Tensor], padding: Padding) -> tuple[list[Tensor], Padding]:
        chunk, stride = self.chunk_length, self.chunk_stride
        if chunk is None or stride is None or padding.max_length is not None:
            return waves, padding
        lengths = [len(wave) for wave in waves]
        if padding.truncation:
            most = (min(lengths) - chunk) // stride * stride + chunk
            return waves, replace(padding, max_length=max(most, 0))
        if padding.strategy == "longest":
            steps = -(-max(max(lengths) - chunk, 0) // stride)
            return waves, replace(padding, padding="max_length", max_length=steps * stride + chunk)
        return waves, padding


class KyutaiSpeechToTextFeatureExtractor(EncodecFeatureExtractor):
    """Waveforms for Kyutai's speech to text: silence before, and after the text's delay."""

    audio_delay_seconds: float = 0.0
    audio_silence_prefix_seconds: float = 0.0

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        found = super().extract(waves, padding, **own)
        before = int(self.audio_silence_prefix_seconds * self.sampling_rate)
        after = int((self.audio_delay_seconds + 1.0) * self.sampling_rate)

        def widened(value: Any) -> Any:
            if isinstance(value, list):
                return [widened(item) for item in value]
            return None if value is None else F.pad(value, (before, after))

        return {name: widened(value) for name, value in found.items()}
