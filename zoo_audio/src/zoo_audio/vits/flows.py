"""The parts of VITS that work on (batch, channels, length): flows, and what predicts durations.

`mask` is (batch, 1, length), 0 for padding; `condition` (batch or 1, speaker size, 1), if there are speakers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.weight_norm import NormedConv1d
from zoo_audio.vits.config import VitsConfig
from zoo_audio.vits.spline import spline_inverse


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of (batch, channels, length)."""

    def forward(self, hidden: Tensor) -> Tensor:
        return super().forward(hidden.transpose(1, 2)).transpose(1, 2)


class WaveNet(nn.Module):
    """Dilated convolutions with gates, whose outputs are added up (https://arxiv.org/abs/1609.03499)."""

    def __init__(self, config: VitsConfig, num_layers: int) -> None:
        super().__init__()
        size, kernel = config.hidden_size, config.wavenet_kernel_size
        self.dropout = nn.Dropout(config.wavenet_dropout)
        self.in_layers, self.res_skip_layers = nn.ModuleList(), nn.ModuleList()
        self.cond_layer: nn.Module | None = None
        if config.speaker_embedding_size:
            self.cond_layer = NormedConv1d(config.speaker_embedding_size, 2 * size * num_layers, 1)
        for i in range(num_layers):
            dilation = config.wavenet_dilation_rate**i
            padding = (kernel - 1) * dilation // 2
            self.in_layers.append(NormedConv1d(size, 2 * size, kernel, dilation=dilation, padding=padding))
            last = i == num_layers - 1
            self.res_skip_layers.append(NormedConv1d(size, size if last else 2 * size, 1))

    def forward(self, hidden: Tensor, mask: Tensor, condition: Tensor | None) -> Tensor:
        layers = len(self.in_layers)
        added = [hidden.new_zeros(())] * layers
        if condition is not None and self.cond_layer is not None:
            added = list(self.cond_layer(condition).chunk(layers, dim=1))
        total = torch.zeros_like(hidden)
        for widen, narrow, extra in zip(self.in_layers, self.res_skip_layers, added, strict=True):
            content, gate = (widen(hidden) + extra).chunk(2, dim=1)
            out = narrow(self.dropout(content.tanh() * gate.sigmoid()))
            if out.shape[1] > hidden.shape[1]:  # all but the last go on, and give a share of the sum
                residual, out = out.chunk(2, dim=1)
                hidden = (hidden + residual) * mask
            total = total + out
        return total * mask


class CouplingLayer(nn.Module):
    """Shifts one half of the channels by what a WaveNet makes of the other (https://arxiv.org/abs/1605.08803)."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        half = config.flow_size // 2
        self.conv_pre = nn.Conv1d(half, config.hidden_size, 1)
        self.wavenet = WaveNet(config, config.prior_encoder_num_wavenet_layers)
        self.conv_post = nn.Conv1d(config.hidden_size, half, 1)

    def forward(self, latents: Tensor, mask: Tensor, condition: Tensor | None, *, reverse: bool) -> Tensor:
        first, second = latents.chunk(2, dim=1)
        hidden = self.wavenet(self.conv_pre(first) * mask, mask, condition)
        shift = self.conv_post(hidden) * mask
        second = (second - shift) * mask if reverse else second * mask + shift
        return torch.cat((first, second), dim=1)


class PriorFlow(nn.Module):
    """Coupling layers between which the channels change places (section 2.2.2 of the paper)."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        self.flows = nn.ModuleList(CouplingLayer(config) for _ in range(config.prior_encoder_num_flows))

    def forward(
        self, latents: Tensor, mask: Tensor, condition: Tensor | None = None, *, reverse: bool = False
    ) -> Tensor:
        """Latents of the posterior to those of the prior, or with `reverse` back."""
        for flow in reversed(self.flows) if reverse else self.flows:
            if reverse:
                latents = flow(latents.flip(1), mask, condition, reverse=True)
            else:
                latents = flow(latents, mask, condition, reverse=False).flip(1)
        return latents


class PosteriorEncoder(nn.Module):
    """Linear spectrograms to latents, in training and for changing a voice."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        self.conv_pre = nn.Conv1d(config.spectrogram_bins, config.hidden_size, 1)
        self.wavenet = WaveNet(config, config.posterior_encoder_num_wavenet_layers)
        self.conv_proj = nn.Conv1d(config.hidden_size, 2 * config.flow_size, 1)

    def forward(
        self, spectrogram: Tensor, mask: Tensor, condition: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, bins, frames) to sampled latents (batch, size, frames), their mean and log deviation."""
        hidden = self.wavenet(self.conv_pre(spectrogram) * mask, mask, condition)
        mean, log_deviation = (self.conv_proj(hidden) * mask).chunk(2, dim=1)
        return (mean + torch.randn_like(mean) * log_deviation.exp()) * mask, mean, log_deviation


class SeparableConvolutions(nn.Module):
    """Dilated convolutions in depth, each followed by one across channels (appendix B.1)."""

    def __init__(self, config: VitsConfig, dropout: float = 0.0) -> None:
        super().__init__()
        size, kernel = config.hidden_size, config.duration_predictor_kernel_size
        count = config.depth_separable_num_layers
        self.dropout = nn.Dropout(dropout)
        self.convs_dilated = nn.ModuleList(
            nn.Conv1d(
                size, size, kernel, groups=size, dilation=kernel**i, padding=(kernel - 1) * kernel**i // 2
            )
            for i in range(count)
        )
        self.convs_pointwise = nn.ModuleList(nn.Conv1d(size, size, 1) for _ in range(count))
        self.norms_1 = nn.ModuleList(ChannelNorm(size) for _ in range(count))
        self.norms_2 = nn.ModuleList(ChannelNorm(size) for _ in range(count))

    def forward(self, hidden: Tensor, mask: Tensor, condition: Tensor | None = None) -> Tensor:
        hidden = hidden if condition is None else hidden + condition
        layers = zip(self.convs_dilated, self.norms_1, self.convs_pointwise, self.norms_2, strict=True)
        for dilated, norm_1, pointwise, norm_2 in layers:
            inner = F.gelu(norm_1(dilated(hidden * mask)))
            hidden = hidden + self.dropout(F.gelu(norm_2(pointwise(inner))))
        return hidden * mask


class SplineFlow(nn.Module):
    """Bends one half of the channels by splines that the other half and the text choose."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        self.half, size = config.depth_separable_channels // 2, config.hidden_size
        self.bins, self.bound = config.duration_predictor_flow_bins, config.duration_predictor_tail_bound
        self.scale = size**-0.5
        self.conv_pre = nn.Conv1d(self.half, size, 1)
        self.conv_dds = SeparableConvolutions(config)
        self.conv_proj = nn.Conv1d(size, self.half * (3 * self.bins - 1), 1)

    def forward(self, latents: Tensor, mask: Tensor, condition: Tensor) -> Tensor:
        """The inverse, from noise towards durations."""
        first, second = latents.split(self.half, dim=1)
        hidden = self.conv_proj(self.conv_dds(self.conv_pre(first), mask, condition)) * mask
        chosen = hidden.unflatten(1, (self.half, -1)).transpose(2, 3)
        widths, heights, slopes = chosen.split((self.bins, self.bins, self.bins - 1), dim=-1)
        second = spline_inverse(second, widths * self.scale, heights * self.scale, slopes, self.bound)
        return torch.cat((first, second), dim=1) * mask


class AffineFlow(nn.Module):
    """A shift and a scale for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.translate = nn.Parameter(torch.zeros(channels, 1))
        self.log_scale = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, latents: Tensor, mask: Tensor, condition: Tensor) -> Tensor:
        """The inverse."""
        return (latents - self.translate) * (-self.log_scale).exp() * mask


class StochasticDurationPredictor(nn.Module):
    """Log durations drawn from a flow (section 2.2.3); the `post` parts serve training alone."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        size, dropout = config.hidden_size, config.duration_predictor_dropout

        def flows() -> nn.ModuleList:
            bent = [SplineFlow(config) for _ in range(config.duration_predictor_num_flows)]
            return nn.ModuleList([AffineFlow(config.depth_separable_channels), *bent])

        self.channels = config.depth_separable_channels
        self.conv_pre, self.conv_proj = nn.Conv1d(size, size, 1), nn.Conv1d(size, size, 1)
        self.conv_dds = SeparableConvolutions(config, dropout)
        speaker = config.speaker_embedding_size
        self.cond = nn.Conv1d(speaker, size, 1) if speaker else None
        self.flows = flows()
        self.post_conv_pre, self.post_conv_proj = nn.Conv1d(1, size, 1), nn.Conv1d(size, size, 1)
        self.post_conv_dds = SeparableConvolutions(config, dropout)
        self.post_flows = flows()

    def forward(self, hidden: Tensor, mask: Tensor, condition: Tensor | None, noise_scale: float) -> Tensor:
        """(batch, hidden, length) to log durations (batch, 1, length)."""
        hidden = self.conv_pre(hidden)
        if condition is not None and self.cond is not None:
            hidden = hidden + self.cond(condition)
        hidden = self.conv_proj(self.conv_dds(hidden, mask)) * mask
        latents = noise_scale * torch.randn(
            len(hidden), self.channels, hidden.shape[2], dtype=hidden.dtype, device=hidden.device
        )
        affine, _, *bent = self.flows  # training leaves the flow next to the affine one without effect
        for flow in (*reversed(bent), affine):
            latents = flow(latents.flip(1), mask, hidden)
        return latents[:, :1]


class DurationPredictor(nn.Module):
    """Log durations without chance, as in FastSpeech 2 (https://arxiv.org/abs/2006.04558)."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        inner, kernel = config.duration_predictor_filter_channels, config.duration_predictor_kernel_size
        size, speaker = config.hidden_size, config.speaker_embedding_size
        self.dropout = nn.Dropout(config.duration_predictor_dropout)
        self.conv_1 = nn.Conv1d(size, inner, kernel, padding=kernel // 2)
        self.norm_1 = ChannelNorm(inner, eps=config.layer_norm_eps)
        self.conv_2 = nn.Conv1d(inner, inner, kernel, padding=kernel // 2)
        self.norm_2 = ChannelNorm(inner, eps=config.layer_norm_eps)
        self.proj = nn.Conv1d(inner, 1, 1)
        self.cond = nn.Conv1d(speaker, size, 1) if speaker else None

    def forward(self, hidden: Tensor, mask: Tensor, condition: Tensor | None, noise_scale: float) -> Tensor:
        """(batch, hidden, length) to log durations (batch, 1, length)."""
        if condition is not None and self.cond is not None:
            hidden = hidden + self.cond(condition)
        for conv, norm in ((self.conv_1, self.norm_1), (self.conv_2, self.norm_2)):
            hidden = self.dropout(norm(conv(hidden * mask).relu()))
        return self.proj(hidden * mask) * mask
