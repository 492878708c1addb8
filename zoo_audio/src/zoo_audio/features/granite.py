"""The feature extractor of Granite Speech."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from zoo_audio.features.base import AudioFeatureExtractor, Padding
from zoo_audio.features.mel import MelBank
from zoo_audio.features.spectrum import Spectrum
from zoo_core.processing import BatchFeature

MELS = {"sample_rate": 16000, "n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 80}


class GraniteSpeechFeatureExtractor(AudioFeatureExtractor):
    """Log-mel frames, two in one, of sounds that are filled up with silence (arXiv 2505.08699)."""

    model_input_names = ["input_features"]
    call_defaults: ClassVar[dict[str, Any]] = {"padding": True}
    feature_size: ClassVar[int] = 1  # type: ignore[misc]  # no settings of this file
    padding_value: ClassVar[float] = 0.0  # type: ignore[misc]
    padding_side: ClassVar[str] = "right"  # type: ignore[misc]
    return_attention_mask: ClassVar[bool] = True  # type: ignore[misc]

    sampling_rate: int = 16000
    melspec_kwargs: dict[str, int] | None = None
    projector_window_size: int = 15
    projector_downsample_rate: int = 5

    def __init__(self, **values: Any) -> None:
        given = {name: values.pop(name) for name in MELS if name in values}
        super().__init__(**values)
        rate = {"sample_rate": self.sampling_rate}
        self.melspec_kwargs = {**MELS, **rate, **(self.melspec_kwargs or {}), **given}

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        """Frames (sounds, frames / 2, 2 x mels), features the model makes of each sound, and their mask."""
        lengths = [len(wave) for wave in waves]
        values, _ = self.fit(waves, padding)
        mel = self.melspec_kwargs
        spectrum = Spectrum(frame=mel["win_length"], hop=mel["hop_length"], fft=mel["n_fft"])
        bank = MelBank(bins=spectrum.bins, mels=mel["n_mels"], rate=mel["sample_rate"], scale="htk")
        logs = spectrum(torch.stack(list(values)), bank).clamp(min=1e-10).log10()
        logs = torch.maximum(logs, logs.amax((1, 2), keepdim=True) - 8) / 4 + 1
        pairs = logs[:, : logs.shape[1] // 2 * 2].unflatten(1, (-1, 2)).flatten(2)
        sizes = [self.features_of(length) for length in lengths]
        mask = torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
        return {"input_features": pairs.float(), "audio_embed_sizes": sizes, "input_features_mask": mask}

    @staticmethod
    def batch(found: Any, return_tensors: Any) -> BatchFeature:
        """The outputs as tensors, but the sizes."""
        moved = {name: v.cpu() if isinstance(v, Tensor) else v for name, v in found.items()}
        return BatchFeature(moved, return_tensors)

    def features_of(self, samples: int) -> int:
        """Features that the model makes of so many samples."""
        frames = (samples // self.melspec_kwargs["hop_length"] + 1) // 2
        windows = -(-frames // self.projector_window_size)
        return windows * (self.projector_window_size // self.projector_downsample_rate)
