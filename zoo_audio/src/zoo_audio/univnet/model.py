"""UnivNet: noise to a waveform, by convolutions whose kernels are predicted from the spectrogram."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.univnet.config import UnivNetConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput


class UnivNetModelOutput(ModelOutput):
    """Waveforms (batch, samples), and how long each is where a mask told."""

    waveforms: Tensor
    waveform_lengths: Tensor | None = None


class PredictorResidual(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, config: UnivNetConfig) -> None:
        super().__init__()
        size, kernel = config.kernel_predictor_hidden_channels, config.kernel_predictor_conv_size
        self.slope, self.dropout = config.leaky_relu_slope, nn.Dropout(config.kernel_predictor_dropout)
        self.conv1 = nn.Conv1d(size, size, kernel, padding=(kernel - 1) // 2)
        self.conv2 = nn.Conv1d(size, size, kernel, padding=(kernel - 1) // 2)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = F.leaky_relu(self.conv1(self.dropout(hidden)), self.slope)
        return hidden + F.leaky_relu(self.conv2(inner), self.slope)


class KernelPredictor(nn.Module):
    """Kernels and biases of `layers` convolutions for each frame of a spectrogram."""

    def __init__(self, config: UnivNetConfig, kernel: int, layers: int) -> None:
        super().__init__()
        size, inputs = config.kernel_predictor_hidden_channels, config.model_hidden_channels
        self.shape, self.slope = (layers, inputs, 2 * inputs, kernel), config.leaky_relu_slope
        reach = config.kernel_predictor_conv_size
        self.input_conv = nn.Conv1d(config.num_mel_bins, size, 5, padding=2)
        self.resblocks = nn.ModuleList(
            PredictorResidual(config) for _ in range(config.kernel_predictor_num_blocks)
        )
        padding = (reach - 1) // 2
        self.kernel_conv = nn.Conv1d(size, math.prod(self.shape), reach, padding=padding)
        self.bias_conv = nn.Conv1d(size, layers * 2 * inputs, reach, padding=padding)

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, bands, frames) to (batch, layers, in, out, kernel, frames), (batch, layers, out, frames)"""
        hidden = F.leaky_relu(self.input_conv(spectrogram), self.slope)
        for block in self.resblocks:
            hidden = block(hidden)
        kernels = self.kernel_conv(hidden).unflatten(1, self.shape)
        return kernels, self.bias_conv(hidden).unflatten(1, (self.shape[0], self.shape[2]))


def location_variable_convolution(hidden: Tensor, kernels: Tensor, bias: Tensor, hop: int) -> Tensor:
    """A convolution whose kernel changes every `hop` samples (https://arxiv.org/abs/2102.10815).

    Args:
        hidden: (batch, in, frames x hop). kernels: (batch, in, out, kernel, frames).
        bias: (batch, out, frames).
    """
    reach = kernels.shape[3]
    padded = F.pad(hidden, ((reach - 1) // 2, (reach - 1) // 2))
    windows = padded.unfold(2, reach, 1).unflatten(2, (-1, hop))  # (batch, in, frames, hop, kernel)
    found = torch.einsum("bithk,biokt->both", windows, kernels) + bias[..., None]
    return found.flatten(2)


class LocationVariableResidual(nn.Module):
    """A dilated convolution and a predicted one with a gate, around which the input is added."""

    def __init__(self, config: UnivNetConfig, kernel: int, dilation: int) -> None:
        super().__init__()
        size, self.slope = config.model_hidden_channels, config.leaky_relu_slope
        self.conv = nn.Conv1d(size, size, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)

    def forward(self, hidden: Tensor, kernels: Tensor, bias: Tensor, hop: int) -> Tensor:
        inner = F.leaky_relu(self.conv(F.leaky_relu(hidden, self.slope)), self.slope)
        gate, value = location_variable_convolution(inner, kernels, bias, hop).chunk(2, dim=1)
        return hidden + gate.sigmoid() * value.tanh()


class LocationVariableBlock(nn.Module):
    """More samples, then residual blocks by the spectrogram's frames of `hop` samples."""

    def __init__(self, config: UnivNetConfig, index: int, hop: int) -> None:
        super().__init__()
        size, self.hop, self.slope = config.model_hidden_channels, hop, config.leaky_relu_slope
        kernel, stride = config.resblock_kernel_sizes[index], config.resblock_stride_sizes[index]
        dilations = config.resblock_dilation_sizes[index]
        odd = stride % 2
        self.convt_pre = nn.ConvTranspose1d(
            size, size, 2 * stride, stride, padding=stride // 2 + odd, output_padding=odd
        )
        self.kernel_predictor = KernelPredictor(config, kernel, len(dilations))
        self.resblocks = nn.ModuleList(LocationVariableResidual(config, kernel, d) for d in dilations)

    def forward(self, hidden: Tensor, spectrogram: Tensor) -> Tensor:
        hidden = self.convt_pre(F.leaky_relu(hidden, self.slope))
        kernels, biases = self.kernel_predictor(spectrogram)
        for block, kernel, bias in zip(self.resblocks, kernels.unbind(1), biases.unbind(1), strict=True):
            hidden = block(hidden, kernel, bias, self.hop)
        return hidden


class UnivNetModel(PreTrainedModel):
    """The vocoder."""

    config_class = UnivNetConfig
    base_model_prefix = "univnet"
    main_input_name = "input_features"

    def __init__(self, config: UnivNetConfig) -> None:
        super().__init__(config)
        size, strides = config.model_hidden_channels, config.resblock_stride_sizes
        self.conv_pre = nn.Conv1d(config.model_in_channels, size, 7, padding=3, padding_mode="reflect")
        self.resblocks = nn.ModuleList(
            LocationVariableBlock(config, i, math.prod(strides[: i + 1])) for i in range(len(strides))
        )
        self.conv_post = nn.Conv1d(size, 1, 7, padding=3, padding_mode="reflect")
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("UnivNet takes spectrograms, not tokens")

    def forward(
        self,
        input_features: Tensor | None = None,
        noise_sequence: Tensor | None = None,
        padding_mask: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> UnivNetModelOutput:
        """Log-mel spectrograms (batch, frames, bands) to waveforms (batch, samples).

        Args:
            noise_sequence: (batch, frames, model_in_channels); drawn with `generator` when None.
            padding_mask: (batch, frames), 0 for padding. One without a batch dimension stands for one sound;
                one sound may meet several noises, and the other way round.
        """
        if input_features is None:
            raise ValueError("pass input_features (batch, frames, bands)")
        features = input_features if input_features.dim() == 3 else input_features[None]
        if noise_sequence is None:
            shape = (*features.shape[:2], self.config.model_in_channels)
            noise = torch.randn(shape, generator=generator, dtype=features.dtype, device=features.device)
        else:
            noise = noise_sequence if noise_sequence.dim() == 3 else noise_sequence[None]
        rows = max(len(features), len(noise))
        if not {len(features), len(noise)} <= {1, rows}:
            raise ValueError(
                f"{len(features)} spectrograms came with {len(noise)} noises; pass as many, or one"
            )
        spectrogram = features.expand(rows, -1, -1).transpose(1, 2).to(self.dtype)
        hidden = self.conv_pre(noise.expand(rows, -1, -1).transpose(1, 2).to(self.dtype))
        for block in self.resblocks:
            hidden = block(hidden, spectrogram)
        waves = self.conv_post(F.leaky_relu(hidden, self.config.leaky_relu_slope)).tanh().squeeze(1)
        lengths = None if padding_mask is None else padding_mask.sum(1)
        return UnivNetModelOutput(waveforms=waves, waveform_lengths=lengths)
