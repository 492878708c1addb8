"""EnCodec: a convolutional autoencoder of sound whose states are quantised step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.weight_norm import NormedConv1d, NormedConvTranspose1d
from zoo_audio.encodec.config import EncodecConfig
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput


class EncodecOutput(ModelOutput):
    """Codes (chunks, batch, codebooks, frames) and the waveform (batch, channels, samples) they stand for."""

    audio_codes: Tensor
    audio_values: Tensor


class EncodecEncoderOutput(ModelOutput):
    """Codes, the factor of each chunk's loudness, and frames of padding in the last chunk."""

    audio_codes: Tensor
    audio_scales: list[Tensor | None]
    last_frame_pad_length: int | None = None


class EncodecDecoderOutput(ModelOutput):
    """A waveform (batch, channels, samples)."""

    audio_values: Tensor


def pad_ends(hidden: Tensor, left: int, right: int, mode: str) -> Tensor:
    """Pad in time; mirrored ends may be longer than the sound, which is then lengthened by zeros first."""
    length = hidden.shape[-1]
    if mode != "reflect":
        return F.pad(hidden, (left, right), mode)
    missing = max(0, max(left, right) - length + 1)
    padded = F.pad(F.pad(hidden, (0, missing)), (left, right), mode)
    return padded[..., : padded.shape[-1] - missing]


class EncodecConv(nn.Module):
    """A convolution padded so that it gives samples / stride frames, and if causal sees no later ones.

    Args:
        mode: how the ends are padded, by default `pad_mode` of the config. more: `bias` or `groups`.
    """

    def __init__(
        self,
        config: PretrainedConfig,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        dilation: int = 1,
        *,
        mode: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__()
        self.causal, self.mode = config.use_causal_conv, mode or config.pad_mode
        self.reach, self.stride = (kernel - 1) * dilation + 1, stride
        kind = getattr(config, "norm_type", None)
        conv = NormedConv1d if kind == "weight_norm" else nn.Conv1d
        self.conv = conv(inputs, outputs, kernel, stride=stride, dilation=dilation, **more)
        self.norm = nn.GroupNorm(1, outputs) if kind == "time_group_norm" else None

    def forward(self, hidden: Tensor) -> Tensor:
        total, length = self.reach - self.stride, hidden.shape[-1]
        frames = math.ceil((length - self.reach + total) / self.stride)
        extra = frames * self.stride + self.reach - total - length
        right = 0 if self.causal else total // 2
        hidden = self.conv(pad_ends(hidden, total - right, right + extra, self.mode))
        return hidden if self.norm is None else self.norm(hidden)


class EncodecConvTranspose(nn.Module):
    """A transposed convolution, its ends trimmed so that it gives frames x stride samples."""

    def __init__(
        self, config: PretrainedConfig, inputs: int, outputs: int, kernel: int, stride: int, **more: Any
    ) -> None:
        super().__init__()
        total = kernel - stride
        self.right = math.ceil(total * config.trim_right_ratio) if config.use_causal_conv else total // 2
        self.left = total - self.right
        kind = getattr(config, "norm_type", None)
        conv = NormedConvTranspose1d if kind == "weight_norm" else nn.ConvTranspose1d
        self.conv = conv(inputs, outputs, kernel, stride=stride, **more)
        self.norm = nn.GroupNorm(1, outputs) if kind == "time_group_norm" else None

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.conv(hidden)
        if self.norm is not None:
            hidden = self.norm(hidden)
        return hidden[..., self.left : hidden.shape[-1] - self.right]


class EncodecLSTM(nn.Module):
    """A recurrent network around which the input is added."""

    def __init__(self, config: PretrainedConfig, size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(size, size, config.num_lstm_layers)

    def forward(self, hidden: Tensor) -> Tensor:
        turned = hidden.permute(2, 0, 1)
        return (self.lstm(turned)[0] + turned).permute(1, 2, 0)


class EncodecResidual(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, config: PretrainedConfig, size: int, dilations: Sequence[int]) -> None:
        super().__init__()
        inner = size // config.compress
        self.block = nn.Sequential(
            nn.ELU(),
            EncodecConv(config, size, inner, config.residual_kernel_size, dilation=dilations[0]),
            nn.ELU(),
            EncodecConv(config, inner, size, 1, dilation=dilations[1]),
        )
        wanted = config.use_conv_shortcut
        self.shortcut = EncodecConv(config, size, size, 1) if wanted else nn.Identity()

    def forward(self, hidden: Tensor) -> Tensor:
        return self.shortcut(hidden) + self.block(hidden)


def residuals(config: PretrainedConfig, size: int) -> list[nn.Module]:
    """The residual blocks at one width."""
    growth = config.dilation_growth_rate
    return [EncodecResidual(config, size, (growth**i, 1)) for i in range(config.num_residual_layers)]


def recurrent(config: PretrainedConfig, size: int) -> list[nn.Module]:
    """The recurrent layer, where the config has one."""
    return [EncodecLSTM(config, size)] if getattr(config, "num_lstm_layers", 0) else []


class EncodecEncoder(nn.Module):
    """Waveforms (batch, channels, samples) to states (batch, hidden, frames)."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        size = config.num_filters
        layers: list[nn.Module] = [EncodecConv(config, config.audio_channels, size, config.kernel_size)]
        for ratio in reversed(config.upsampling_ratios):
            layers += residuals(config, size)
            layers += [nn.ELU(), EncodecConv(config, size, 2 * size, 2 * ratio, ratio)]
            size *= 2
        layers += [*recurrent(config, size), nn.ELU()]
        layers += [EncodecConv(config, size, config.hidden_size, config.last_kernel_size)]
        self.layers = nn.ModuleList(layers)

    def forward(self, hidden: Tensor) -> Tensor:
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class EncodecDecoder(nn.Module):
    """States (batch, hidden, frames) to waveforms (batch, channels, samples)."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        size = config.num_filters * 2 ** len(config.upsampling_ratios)
        layers: list[nn.Module] = [EncodecConv(config, config.hidden_size, size, config.kernel_size)]
        layers += recurrent(config, size)
        for ratio in config.upsampling_ratios:
            layers += [nn.ELU(), EncodecConvTranspose(config, size, size // 2, 2 * ratio, ratio)]
            size //= 2
            layers += residuals(config, size)
        layers += [nn.ELU(), EncodecConv(config, size, config.audio_channels, config.last_kernel_size)]
        self.layers = nn.ModuleList(layers)

    def forward(self, hidden: Tensor) -> Tensor:
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class Codebook(nn.Module):
    """Vectors of codes; the other buffers are those that training moves them with."""

    def __init__(self, config: EncodecConfig) -> None:
        super().__init__()
        shape = (config.codebook_size, config.codebook_dim)
        self.register_buffer("inited", torch.ones(1))
        self.register_buffer("cluster_size", torch.zeros(config.codebook_size))
        self.register_buffer("embed", torch.zeros(shape))
        self.register_buffer("embed_avg", torch.zeros(shape))

    embed: Tensor

    def encode(self, states: Tensor) -> Tensor:
        """The nearest code of each state: (..., size) to (...)."""
        flat = states.reshape(-1, states.shape[-1])
        table = self.embed.to(flat).t()
        distance = flat.square().sum(1, keepdim=True) - 2 * flat @ table + table.square().sum(0, keepdim=True)
        return distance.argmin(-1).view(states.shape[:-1])

    def decode(self, codes: Tensor) -> Tensor:
        """(...) to (..., size)."""
        return F.embedding(codes, self.embed)


class QuantizerLayer(nn.Module):
    """One step of the quantisation."""

    def __init__(self, config: EncodecConfig) -> None:
        super().__init__()
        self.codebook = Codebook(config)


class ResidualQuantizer(nn.Module):
    """Each codebook quantises what the ones before it left over."""

    def __init__(self, config: EncodecConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(QuantizerLayer(config) for _ in range(config.num_quantizers))

    def count(self, bandwidth: float | None) -> int:
        """Codebooks that fit into so many kilobits a second."""
        if not bandwidth:
            return len(self.layers)
        bits = math.log2(self.config.codebook_size) * self.config.frame_rate
        return int(max(1, math.floor(bandwidth * 1000 / bits)))

    def encode(self, states: Tensor, bandwidth: float | None) -> Tensor:
        """(batch, size, frames) to codes (codebooks, batch, frames)."""
        left, found = states.transpose(1, 2), []
        for layer in self.layers[: self.count(bandwidth)]:
            codes = layer.codebook.encode(left)
            left = left - layer.codebook.decode(codes)
            found.append(codes)
        return torch.stack(found)

    def decode(self, codes: Tensor) -> Tensor:
        """(codebooks, batch, frames) to (batch, size, frames)."""
        parts = [layer.codebook.decode(c) for layer, c in zip(self.layers, codes, strict=False)]
        return torch.stack(parts).sum(0).transpose(1, 2)


class EncodecPreTrainedModel(PreTrainedModel):
    """What all EnCodec classes share."""

    config_class = EncodecConfig
    base_model_prefix = "encodec"
    main_input_name = "input_values"


class EncodecModel(EncodecPreTrainedModel):
    """The codec: encoder, quantiser and decoder."""

    def __init__(self, config: EncodecConfig) -> None:
        super().__init__(config)
        self.encoder = EncodecEncoder(config)
        self.decoder = EncodecDecoder(config)
        self.quantizer = ResidualQuantizer(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("EnCodec takes waveforms, not tokens")

    def encode(
        self,
        input_values: Tensor,
        padding_mask: Tensor | None = None,
        bandwidth: float | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Codes of waveforms (batch, channels, samples), and the loudness of each chunk.

        Args:
            padding_mask: (batch, samples), 0 for padding.
            bandwidth: kilobits a second, one of `config.target_bandwidths`; the lowest when None.

        Raises:
            ValueError: another bandwidth, or another number of channels than 1 or 2.
        """
        config = self.config
        bandwidth = config.target_bandwidths[0] if bandwidth is None else bandwidth
        if bandwidth not in config.target_bandwidths:
            raise ValueError(f"bandwidth={bandwidth} is not one of {config.target_bandwidths}")
        if input_values.dim() != 3 or not 1 <= input_values.shape[1] <= 2:
            raise ValueError(
                f"input_values are {tuple(input_values.shape)}; expected (batch, 1 or 2 channels, samples)"
            )
        samples = input_values.shape[-1]
        mask = torch.ones_like(input_values) if padding_mask is None else padding_mask
        mask = (mask if mask.dim() == 3 else mask[:, None]).bool()
        length, stride = config.chunk_length or samples, config.chunk_stride or samples
        chunks: list[Tensor] = []
        scales: list[Tensor | None] = []
        for start in range(0, max(samples - (length - stride), 1), stride):
            chunk = input_values[..., start : start + length]
            codes, scale = self._encode_chunk(chunk, mask[..., start : start + length], bandwidth)
            chunks.append(codes)
            scales.append(scale)
        frames = max(codes.shape[-1] for codes in chunks)
        missing = frames - chunks[-1].shape[-1]
        stacked = torch.stack([F.pad(codes, (0, frames - codes.shape[-1])) for codes in chunks])
        if return_dict is False:
            return stacked, scales, missing
        return EncodecEncoderOutput(audio_codes=stacked, audio_scales=scales, last_frame_pad_length=missing)

    def _encode_chunk(
        self, values: Tensor, mask: Tensor, bandwidth: float | None
    ) -> tuple[Tensor, Tensor | None]:
        scale = None
        if self.config.normalize:
            values = values * mask
            mono = values.sum(1, keepdim=True) / values.shape[1]
            scale = (mono.square().mean(2, keepdim=True).sqrt() + 1e-8).view(-1, 1)
            values = values / scale[..., None]
        states = self.encoder(values.to(self.dtype))
        return self.quantizer.encode(states, bandwidth).transpose(0, 1), scale

    def decode(
        self,
        audio_codes: Tensor,
        audio_scales: Sequence[Tensor | None],
        padding_mask: Tensor | None = None,
        return_dict: bool | None = None,
        last_frame_pad_length: int | None = 0,
    ) -> Any:
        """The waveform of codes (chunks, batch, codebooks, frames), as long as `padding_mask` says."""
        if len(audio_codes) != len(audio_scales):
            raise ValueError(f"{len(audio_codes)} chunks of codes, but {len(audio_scales)} scales")
        parts = []
        for index, (codes, scale) in enumerate(zip(audio_codes, audio_scales, strict=True)):
            if index == len(audio_codes) - 1 and last_frame_pad_length:
                codes = codes[..., : codes.shape[-1] - last_frame_pad_length]
            values = self.decoder(self.quantizer.decode(codes.transpose(0, 1)))
            parts.append(values if scale is None else values * scale.view(-1, 1, 1))
        values = parts[0] if len(parts) == 1 else overlap_add(parts, self.config.chunk_stride or 1)
        if padding_mask is not None:
            values = values[..., : padding_mask.shape[-1]]
        return (values,) if return_dict is False else EncodecDecoderOutput(audio_values=values)

    def forward(
        self,
        input_values: Tensor | None = None,
        padding_mask: Tensor | None = None,
        bandwidth: float | None = None,
        audio_codes: Tensor | None = None,
        audio_scales: Sequence[Tensor | None] | None = None,
        *,
        last_frame_pad_length: int | None = 0,
    ) -> EncodecOutput:
        """Waveforms (batch, channels, samples) through the codec; or, of given codes, the decoder alone."""
        if input_values is None:
            raise ValueError("pass input_values (batch, channels, samples)")
        if (audio_codes is None) != (audio_scales is None):
            raise ValueError("pass audio_codes and audio_scales together")
        if padding_mask is None:
            padding_mask = torch.ones_like(input_values).bool()
        if audio_codes is None or audio_scales is None:
            encoded = self.encode(input_values, padding_mask, bandwidth)
            audio_codes, audio_scales = encoded.audio_codes, encoded.audio_scales
            last_frame_pad_length = encoded.last_frame_pad_length
        decoded = self.decode(
            audio_codes, audio_scales, padding_mask, last_frame_pad_length=last_frame_pad_length
        )
        return EncodecOutput(audio_codes=audio_codes, audio_values=decoded.audio_values)


def overlap_add(parts: Sequence[Tensor], stride: int) -> Tensor:
    """Chunks (..., samples) that begin `stride` apart, faded into each other by triangular weights."""
    longest = parts[0].shape[-1]
    total = stride * (len(parts) - 1) + parts[-1].shape[-1]
    ramp = torch.linspace(0, 1, longest + 2, device=parts[0].device, dtype=parts[0].dtype)[1:-1]
    weight = 0.5 - (ramp - 0.5).abs()
    out = parts[0].new_zeros(*parts[0].shape[:-1], total)
    share = parts[0].new_zeros(total)
    for index, part in enumerate(parts):
        place = slice(index * stride, index * stride + part.shape[-1])
        out[..., place] += weight[: part.shape[-1]] * part
        share[place] += weight[: part.shape[-1]]
    return out / share
