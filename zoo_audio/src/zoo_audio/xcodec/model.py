"""X-Codec: states of a codec and of a speech model, quantised together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.dac.model import DacDecoder, DacEncoder
from zoo_audio.encodec.model import ResidualQuantizer
from zoo_audio.xcodec.config import XcodecConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.recording import unrecorded


class XcodecOutput(ModelOutput):
    """Codes (batch, codebooks, frames) and the waveforms (batch, 1, samples) they stand for."""

    audio_codes: Tensor
    audio_values: Tensor


class XcodecEncoderOutput(ModelOutput):
    """Codes (batch, codebooks, frames)."""

    audio_codes: Tensor


class XcodecDecoderOutput(ModelOutput):
    """Waveforms (batch, 1, samples)."""

    audio_values: Tensor


class SemanticResidual(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, config: XcodecConfig, size: int, dilation: int) -> None:
        super().__init__()
        kernel = config.unit_kernel_size
        self.conv1 = nn.Conv1d(
            size, size, kernel, dilation=dilation, padding=(kernel - 1) // 2 * dilation, bias=False
        )
        self.conv2 = nn.Conv1d(size, size, 1, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.conv2(F.elu(self.conv1(F.elu(hidden))))


class SemanticBlock(nn.Module):
    """Residual units and a strided convolution; on the way back a transposed one, and the units after it."""

    def __init__(self, config: XcodecConfig, inputs: int, outputs: int, stride: int, *, back: bool) -> None:
        super().__init__()
        self.back = back
        size = outputs if back else inputs
        self.res_units = nn.ModuleList(SemanticResidual(config, size, d) for d in config.block_dilations)
        kernel = 3 if stride == 1 else 2 * stride
        if back and stride > 1:
            self.conv: nn.Module = nn.ConvTranspose1d(
                inputs,
                outputs,
                kernel,
                stride,
                padding=(stride + 1) // 2,
                output_padding=stride % 2,
                bias=False,
            )
        else:
            self.conv = nn.Conv1d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2)

    def forward(self, hidden: Tensor) -> Tensor:
        if self.back:
            hidden = self.conv(hidden)
        for unit in self.res_units:
            hidden = unit(hidden)
        return hidden if self.back else self.conv(hidden)


def _widths(config: XcodecConfig) -> Sequence[int]:
    size = config.semantic_model_config.hidden_size
    return [size, *(int(size * ratio) for ratio in config.channel_ratios)]


class SemanticEncoder(nn.Module):
    """States of the speech model (batch, size, frames) to fewer."""

    def __init__(self, config: XcodecConfig) -> None:
        super().__init__()
        widths, kernel = _widths(config), config.kernel_size
        self.conv = nn.Conv1d(widths[0], widths[0], kernel, padding=kernel // 2, bias=False)
        self.conv_blocks = nn.ModuleList(
            SemanticBlock(config, widths[i], widths[i + 1], stride, back=False)
            for i, stride in enumerate(config.strides)
        )

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.conv(hidden)
        for block in self.conv_blocks:
            hidden = block(hidden)
        return hidden


class SemanticDecoder(nn.Module):
    """The way back, which training uses: quantised states to those of the speech model."""

    def __init__(self, config: XcodecConfig) -> None:
        super().__init__()
        size, kernel = config.semantic_model_config.hidden_size, config.kernel_size
        widths = [int(size * config.channel_ratios[0])]
        widths += [int(size * ratio) for ratio in config.channel_ratios[1:]] + [size]
        self.conv1 = nn.Conv1d(size, widths[0], kernel, padding=kernel // 2, bias=False)
        self.conv_blocks = nn.ModuleList(
            SemanticBlock(config, widths[i], widths[i + 1], stride, back=True)
            for i, stride in enumerate(config.strides)
        )
        self.conv2 = nn.Conv1d(size, size, kernel, padding=kernel // 2, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.conv1(hidden)
        for block in self.conv_blocks:
            hidden = block(hidden)
        return self.conv2(hidden)


class XcodecModel(PreTrainedModel):
    """The codec: encoders, quantiser and decoder."""

    config_class = XcodecConfig
    base_model_prefix = "xcodec"
    main_input_name = "input_values"
    hub_names = {"quantizer.layers": "quantizer.quantizers"}

    def __init__(self, config: XcodecConfig) -> None:
        super().__init__(config)
        acoustic, width = config.acoustic_model_config, config.hidden_size
        self.pad = config.hop_length // 2
        self.acoustic_encoder = DacEncoder(acoustic)
        self.acoustic_decoder = DacDecoder(acoustic, squash=False, whole=True)
        self.encoder_semantic = SemanticEncoder(config)
        self.decoder_semantic = SemanticDecoder(config)
        self.semantic_model = build_part(config.semantic_model_config).eval()
        self.fc = nn.Linear(width, width)
        self.fc1 = nn.Linear(width, config.semantic_model_config.hidden_size)
        self.fc2 = nn.Linear(width, acoustic.hidden_size)
        self.quantizer = ResidualQuantizer(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("X-Codec takes waveforms, not tokens")

    def semantic_features(self, input_values: Tensor) -> Tensor:
        """The mean of the states of all layers of the speech model: (batch, frames, size)."""
        padded = F.pad(input_values[:, 0], (self.pad, self.pad))
        with torch.no_grad(), unrecorded():
            states = self.semantic_model(padded, output_hidden_states=True).hidden_states
        return torch.stack(states).mean(0)

    def encode(
        self, input_values: Tensor, bandwidth: float | None = None, return_dict: bool | None = None
    ) -> Any:
        """Codes of waveforms (batch, 1, samples).

        Args:
            bandwidth: kilobits a second, one of `config.target_bandwidths`; the highest when None.

        Raises:
            ValueError: another bandwidth, or more than one channel.
        """
        choices = self.config.target_bandwidths
        bandwidth = choices[-1] if bandwidth is None else bandwidth
        if bandwidth not in choices:
            raise ValueError(f"bandwidth={bandwidth} is not one of {choices}")
        if input_values.dim() != 3 or input_values.shape[1] != 1:
            raise ValueError(f"input_values are {tuple(input_values.shape)}; expected (batch, 1, samples)")
        input_values = input_values.to(self.dtype)
        meaning = self.encoder_semantic(self.semantic_features(input_values).transpose(1, 2))
        sound = self.acoustic_encoder(input_values)
        if sound.shape[2] != meaning.shape[2]:
            sound = self.acoustic_encoder(F.pad(input_values, (self.pad, self.pad)))
        states = self.fc(torch.cat((sound, meaning), dim=1).transpose(1, 2)).transpose(1, 2)
        codes = self.quantizer.encode(states, bandwidth).transpose(0, 1)
        return codes if return_dict is False else XcodecEncoderOutput(audio_codes=codes)

    def decode(self, audio_codes: Tensor, return_dict: bool | None = None) -> Any:
        """The waveforms of codes (batch, codebooks, frames)."""
        states = self.quantizer.decode(audio_codes.transpose(0, 1))
        values = self.acoustic_decoder(self.fc2(states.transpose(1, 2)).transpose(1, 2))
        return values if return_dict is False else XcodecDecoderOutput(audio_values=values)

    def forward(
        self,
        input_values: Tensor | None = None,
        audio_codes: Tensor | None = None,
        bandwidth: float | None = None,
    ) -> XcodecOutput:
        """Waveforms (batch, 1, samples) through the codec; or, of given codes, the decoder alone."""
        if input_values is None:
            raise ValueError("pass input_values (batch, 1, samples)")
        if audio_codes is None:
            audio_codes = self.encode(input_values, bandwidth).audio_codes
        values = self.decode(audio_codes).audio_values[..., : input_values.shape[-1]]
        return XcodecOutput(audio_codes=audio_codes, audio_values=values)
