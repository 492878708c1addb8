"""Spectrograms of the bars of a song, for Pop2Piano: beats are found, steps laid between, sound cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from zoo_audio.features.base import AudioFeatureExtractor, Padding
from zoo_audio.features.mel import MelBank
from zoo_audio.features.resample import LONG, Sinc
from zoo_audio.features.spectrum import Spectrum
from zoo_audio.features.waves import is_source, split_batch
from zoo_core.errors import MissingDependency, ProcessingError
from zoo_core.processing import BatchFeature

_FLOOR = 1e-6
_STEPS = 4  # of a bar


def interpolated(times: np.ndarray, per_beat: int, extra: int) -> np.ndarray:
    """(beats,) to (beats * per_beat + extra,): steps evenly laid over the beats and `extra` beats after them.

    The time after the last beat goes on as between the last two.
    """
    beats = len(times)
    places = np.linspace(0, beats + extra - 1, beats * per_beat + extra)
    left = np.clip(places.astype(int), 0, beats - 2)
    found: np.ndarray = times[left] + (places - left) * (times[left + 1] - times[left])
    return found


class Pop2PianoFeatureExtractor(AudioFeatureExtractor):
    """Log-mel spectrograms of `num_bars` bars each (https://arxiv.org/abs/2211.00895).

    window_size, hop_length: of the spectra, in samples. min_frequency: of the lowest band, in Hz.
    feature_size: mel bands.
    """

    model_input_names: ClassVar[list[str]] = ["input_features", "beatsteps", "extrapolated_beatstep"]
    own_options: ClassVar[frozenset[str]] = frozenset(["steps_per_beat", "beat_times", "joined"])
    resampling: ClassVar[Sinc] = LONG

    feature_size: int = 512
    sampling_rate: int = 22050
    padding_value: float = 0
    window_size: int = 4096
    hop_length: int = 1024
    min_frequency: float = 10.0
    num_bars: int = 2

    def __call__(  # type: ignore[override]
        self,
        audio: Any = None,
        sampling_rate: int | Sequence[int] | None = None,
        steps_per_beat: int = 2,
        resample: bool | None = True,
        return_attention_mask: bool | None = False,
        return_tensors: Any = None,
        *,
        beat_times: Any = None,
        device: str | torch.device = "cpu",
    ) -> BatchFeature:
        """Spectrograms of one song or of several.

        Args:
            audio: as of `AudioFeatureExtractor`. sampling_rate: of all songs, or one for each, in Hz.
            steps_per_beat: steps that each beat is divided into.
            resample: convert songs of another rate instead of refusing them.
            return_attention_mask: say what is not padding.
            return_tensors: "pt" or "np"; None gives arrays too.
            beat_times: when the beats are, in seconds: (beats,) of one song, or a list of these. By default
                essentia finds them.

        Returns:
            `input_features` (segments, frames, bands) of all songs, a row of zeros after each where there
            is a list of songs or a mask; `beatsteps` (songs, steps) in seconds; `extrapolated_beatstep`
            (songs, more steps), from the first beat on; with masks `attention_mask` (segments, frames),
            `attention_mask_beatsteps` and `attention_mask_extrapolated_beatstep`.

        Raises:
            ProcessingError: no sound, numbers of rates or beats that differ from the number of songs, or
                fewer than two beats.
            MissingDependency: no `beat_times`, and no essentia.
        """
        if audio is None:
            raise ProcessingError("Pop2PianoFeatureExtractor was called without audio")
        songs = split_batch(audio, 1)
        single = len(songs) == 1 and (songs[0] is audio or _numbers(audio))
        if not isinstance(sampling_rate, (int, type(None))):
            songs = _rated(songs, list(sampling_rate))
        if beat_times is not None:
            beat_times = [beat_times] if single and np.ndim(beat_times[0]) == 0 else list(beat_times)
            if len(beat_times) != len(songs):
                raise ProcessingError(f"there are {len(songs)} songs, and beat_times of {len(beat_times)}")
        return super().__call__(
            songs,
            sampling_rate=sampling_rate if isinstance(sampling_rate, int) else None,
            resample=resample,
            device=device,
            return_attention_mask=bool(return_attention_mask),
            return_tensors=return_tensors or "np",
            steps_per_beat=steps_per_beat,
            beat_times=beat_times,
            joined=not single,
        )

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        given = own["beat_times"] or [None] * len(waves)
        masked = self.wants_mask(padding)
        features, steps, further = [], [], []
        for place, (wave, beats) in enumerate(zip(waves, given, strict=True)):
            try:
                if beats is None:
                    beats = self.extract_rhythm(wave.cpu().numpy())[1]
                beatsteps = self.beatsteps(np.asarray(beats, dtype=np.float64), own["steps_per_beat"])
            except ProcessingError as error:
                raise ProcessingError(f"item {place} of {len(waves)}: {error}") from None
            first, last = (int(beatsteps[i] * self.sampling_rate) for i in (0, -1))
            pieces, extended = self.preprocess_mel(wave[first:last], beatsteps - beatsteps[0])
            features.append(self.mel_spectrogram(pieces).clamp(min=_FLOOR).log().float())
            steps.append(torch.from_numpy(beatsteps).float())
            further.append(torch.from_numpy(extended).float())
        found, mask = self.stacked(features, gap=masked or own["joined"])
        data: dict[str, Any] = {"input_features": found, "attention_mask": mask if masked else None}
        for name, rows in (("beatsteps", steps), ("extrapolated_beatstep", further)):
            lengths = torch.tensor([len(row) for row in rows])[:, None]
            data[name] = pad_sequence(rows, batch_first=True, padding_value=self.padding_value)
            if masked:
                data[f"attention_mask_{name}"] = (torch.arange(int(lengths.max())) < lengths).long()
        return data

    def extract_rhythm(self, audio: np.ndarray) -> tuple[Any, ...]:
        """Beats per minute, beat times in seconds, confidence, estimates and intervals of a song.

        Raises:
            MissingDependency: essentia is not installed.
        """
        try:
            import essentia.standard  # type: ignore[import-not-found,unused-ignore]
        except ImportError as error:
            raise MissingDependency(
                "finding the beats of a song needs essentia: pip install 'zoo-multimodal[music]', or pass "
                "beat_times=[...] in seconds"
            ) from error
        return tuple(essentia.standard.RhythmExtractor2013(method="multifeature")(audio))

    @staticmethod
    def beatsteps(beats: np.ndarray, per_beat: int) -> np.ndarray:
        """(beats,) to the steps of these and of one beat more, in seconds."""
        if per_beat < 1:
            raise ProcessingError(f"steps_per_beat={per_beat!r} must be at least 1")
        if beats.ndim != 1 or len(beats) < 2:
            raise ProcessingError(f"a song needs two beats or more, (beats,), got {beats.shape}")
        if not np.isfinite(beats).all() or beats[0] < 0 or (np.diff(beats) <= 0).any():
            raise ProcessingError("the beats must be rising times in seconds, from 0 on")
        return interpolated(beats, per_beat, 1)

    def preprocess_mel(self, wave: Tensor, steps: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """A song from its first beat on, cut every `num_bars` bars.

        Args:
            wave: (samples,). steps: (steps,) in seconds, from 0 on.

        Returns:
            The pieces (segments, samples), zeros where the song or a piece is over, and the steps with those
            of `num_bars` + 1 bars more.
        """
        extended = interpolated(steps, 1, (self.num_bars + 1) * _STEPS + 1)
        size, count = self.num_bars * _STEPS, len(steps)
        edges = [*range(0, count, size), count]
        bounds = [int(time) for time in extended[edges] * self.sampling_rate]
        wave = torch.cat((wave, wave.new_zeros(max(0, bounds[-1] - len(wave)))))
        pieces = [wave[start:end] for start, end in pairwise(bounds)]
        return pad_sequence(pieces, batch_first=True), extended

    def mel_spectrogram(self, waves: Tensor) -> Tensor:
        """(segments, samples) to the powers (segments, frames, bands), float64."""
        spectrum = Spectrum(frame=self.window_size, hop=self.hop_length, fft=self.window_size)
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.feature_size,
            rate=self.sampling_rate,
            low=self.min_frequency,
            scale="htk",
        )
        return spectrum(waves, bank)

    def stacked(self, songs: list[Tensor], *, gap: bool) -> tuple[Tensor, Tensor]:
        """(segments, frames, bands) of all songs, with `gap` a row of zeros after each; and the mask."""
        most = max(song.shape[1] for song in songs)
        rows, masks = [], []
        for song in songs:
            count, frames, bands = song.shape
            filled = song.new_full((count, most, bands), self.padding_value)
            filled[:, :frames] = song
            rows += [filled, song.new_zeros(int(gap), most, bands)]
            mask = torch.zeros(count + int(gap), most, dtype=torch.int64)
            mask[:count, :frames] = 1
            masks.append(mask)
        return torch.cat(rows), torch.cat(masks)


def _numbers(audio: Any) -> bool:
    """Whether a list is one song rather than several."""
    return isinstance(audio, (list, tuple)) and isinstance(audio[0], (int, float, np.number))


def _rated(songs: list[Any], rates: list[int]) -> list[Any]:
    """Songs with the rate of each beside it."""
    if len(rates) != len(songs):
        raise ProcessingError(f"there are {len(songs)} songs, and sampling_rate of {len(rates)}")
    return [
        song if is_source(song) or isinstance(song, dict) else {"array": song, "sampling_rate": rate}
        for song, rate in zip(songs, rates, strict=True)
    ]
