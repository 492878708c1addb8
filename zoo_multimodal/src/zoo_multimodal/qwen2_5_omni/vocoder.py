"""BigVGAN (https://arxiv.org/abs/2206.04658): mel spectrograms to waveforms."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniBigVGANConfig

_KERNEL = 12
_SILENCE = -115.0  # decibels


class SnakeBeta(nn.Module):
    """x + sin(a x)^2 / b, with a and b of each channel kept as logarithms."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha, self.beta = nn.Parameter(torch.zeros(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, hidden: Tensor) -> Tensor:
        alpha, beta = self.alpha.exp()[:, None], self.beta.exp()[:, None]
        return hidden + (hidden * alpha).sin().square() / (beta + 1e-9)


def low_pass(ratio: int) -> Tensor:
    """A windowed sinc (1, 1, kernel) that keeps what remains at 1 / `ratio` of the rate."""
    cutoff, transition = 0.5 / ratio, 0.6 / ratio
    attenuation = 2.285 * (_KERNEL // 2 - 1) * math.pi * 4 * transition + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    else:
        beta = 0.5842 * max(attenuation - 21, 0.0) ** 0.4 + 0.07886 * max(attenuation - 21, 0.0)
    window = torch.kaiser_window(_KERNEL, periodic=False, beta=beta, dtype=torch.float32)
    times = torch.arange(-_KERNEL // 2, _KERNEL // 2) + 0.5
    taps = 2 * cutoff * window * torch.sinc(2 * cutoff * times)
    return (taps / taps.sum())[None, None]


class SmoothActivation(nn.Module):
    """An activation at twice the rate, so that what it adds beyond the rate is filtered out."""

    taps: Tensor

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.act = act
        self.register_buffer("taps", low_pass(2), persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        taps = self.taps.to(hidden.dtype).expand(hidden.shape[1], -1, -1)
        ends = _KERNEL // 2 - 1
        hidden = F.pad(hidden, (ends, ends), "replicate")
        hidden = 2 * F.conv_transpose1d(hidden, taps, stride=2, groups=len(taps))
        cut = ends * 2 + (_KERNEL - 2) // 2
        hidden = self.act(hidden[..., cut : hidden.shape[-1] - cut])
        hidden = F.pad(hidden, (_KERNEL // 2 - 1, _KERNEL // 2), "replicate")
        return F.conv1d(hidden, taps, stride=2, groups=len(taps))


class VocoderBlock(nn.Module):
    """Pairs of convolutions, each after an activation; around each pair the input is added."""

    def __init__(self, channels: int, kernel: int, dilations: list[int]) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Module:
            return nn.Conv1d(channels, channels, kernel, dilation=dilation, padding="same")

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)
        self.activations = nn.ModuleList(
            SmoothActivation(SnakeBeta(channels)) for _ in range(2 * len(dilations))
        )

    def forward(self, hidden: Tensor) -> Tensor:
        for number, (first, second) in enumerate(zip(self.convs1, self.convs2, strict=True)):
            inner = first(self.activations[2 * number](hidden))
            hidden = hidden + second(self.activations[2 * number + 1](inner))
        return hidden


class Qwen2_5OmniToken2WavBigVGANModel(PreTrainedModel):
    """Log-mel spectrograms (batch, mels, frames) to waveforms (batch, samples)."""

    config_class = Qwen2_5OmniBigVGANConfig
    main_input_name = "mel_spectrogram"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        width = config.upsample_initial_channel
        self.conv_pre = nn.Conv1d(config.mel_dim, width, 7, padding=3)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            padding = (kernel - rate) // 2
            up = nn.ConvTranspose1d(width, width // 2, kernel, stride=rate, padding=padding)
            self.ups.append(nn.ModuleList([up]))
            width //= 2
            kinds = zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True)
            self.resblocks.extend(VocoderBlock(width, *kind) for kind in kinds)
        self.activation_post = SmoothActivation(SnakeBeta(width))
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=False)
        self.post_init()

    def forward(self, mel_spectrogram: Tensor) -> Tensor:
        hidden, kinds = self.conv_pre(self.scaled(mel_spectrogram)), len(self.config.resblock_kernel_sizes)
        for number, up in enumerate(self.ups):
            hidden = up[0](hidden)
            blocks = self.resblocks[number * kinds : (number + 1) * kinds]
            hidden = sum(block(hidden) for block in blocks) / kinds
        wave = self.conv_post(self.activation_post(hidden)).clamp(-1, 1)
        return wave.squeeze().cpu()

    @staticmethod
    def scaled(mels: Tensor) -> Tensor:
        """Natural logarithms of amplitudes as decibels, from -1 (silence) to 1."""
        decibels = 20 * mels.exp().clamp(min=10 ** (_SILENCE / 20)).log10() - 20
        return (2 * (decibels - _SILENCE) / -_SILENCE - 1).clamp(-1, 1)
