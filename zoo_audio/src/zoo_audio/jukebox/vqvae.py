"""The VQ-VAE of Jukebox: sound as discrete tokens at several rates, one codebook a rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.jukebox.config import JukeboxVQVAEConfig
from zoo_core.errors import ProcessingError
from zoo_core.modeling.model import PreTrainedModel


class JukeboxResConv1DBlock(nn.Module):
    """A dilated convolution and one of width one, around which the input is added."""

    def __init__(self, config: Any, width: int, dilation: int, scale: float) -> None:
        super().__init__()
        inner = int(config.res_convolution_multiplier * width)
        self.scale = scale
        self.conv1d_1 = nn.Conv1d(width, inner, 3, padding=dilation, dilation=dilation)
        self.conv1d_2 = nn.Conv1d(inner, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.scale * self.conv1d_2(F.relu(self.conv1d_1(F.relu(hidden))))


class JukeboxResnet1D(nn.Module):
    """Residual blocks whose dilation grows with the depth; on the way back to sound it shrinks."""

    def __init__(self, config: Any, width: int, depth: int, *, back: bool) -> None:
        super().__init__()
        cycle = config.res_dilation_cycle or depth
        growth = [config.res_dilation_growth_rate ** (index % cycle) for index in range(depth)]
        scale = 1 / math.sqrt(depth) if config.conv_res_scale else 1.0
        self.resnet_block = nn.ModuleList(
            JukeboxResConv1DBlock(config, width, dilation, scale)
            for dilation in (reversed(growth) if back else growth)
        )

    def forward(self, hidden: Tensor) -> Tensor:
        for block in self.resnet_block:
            hidden = block(hidden)
        return hidden


class JukeboxEncoderConvBlock(nn.Module):
    """Strided convolutions down one level: (batch, inputs, time) to (batch, size, time / ratio)."""

    def __init__(self, config: JukeboxVQVAEConfig, level: int, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        stride = config.res_strides_t[level]
        blocks: list[nn.Module] = []
        for index in range(config.res_downs_t[level]):
            blocks.append(
                nn.Conv1d(width if index else inputs, width, 2 * stride, stride=stride, padding=stride // 2)
            )
            blocks.append(JukeboxResnet1D(config, width, depth, back=False))
        self.downsample_block = nn.ModuleList(blocks)
        self.proj_out = nn.Conv1d(width if blocks else inputs, config.embed_dim, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        for block in self.downsample_block:
            hidden = block(hidden)
        return self.proj_out(hidden)


class JukeboxUpsampler(nn.Module):
    """Transposed convolutions up one level: (batch, size, time) to (batch, size, time * ratio)."""

    def __init__(self, config: Any, level: int, size: int, width: int, depth: int, *, back: bool) -> None:
        super().__init__()
        stride, downs = config.res_strides_t[level], config.res_downs_t[level]
        blocks: list[nn.Module] = []
        for index in range(downs):
            outputs = size if index == downs - 1 else width
            blocks.append(JukeboxResnet1D(config, width, depth, back=back))
            blocks.append(nn.ConvTranspose1d(width, outputs, 2 * stride, stride=stride, padding=stride // 2))
        self.proj_in = nn.Conv1d(size, width if blocks else size, 3, padding=1)
        self.upsample_block = nn.ModuleList(blocks)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.proj_in(hidden)
        for block in self.upsample_block:
            hidden = block(hidden)
        return hidden


class JukeboxEncoder(nn.Module):
    """Sound down to the states of `level`, through all finer ones."""

    def __init__(self, config: JukeboxVQVAEConfig, level: int) -> None:
        super().__init__()
        width, depth = (config.multipliers[level] * n for n in (config.res_conv_width, config.res_conv_depth))
        self.level_blocks = nn.ModuleList(
            JukeboxEncoderConvBlock(
                config, below, config.embed_dim if below else config.conv_input_shape, width, depth
            )
            for below in range(level + 1)
        )

    def forward(self, sound: Tensor) -> Tensor:
        for block in self.level_blocks:
            sound = block(sound)
        return sound


class JukeboxDecoder(nn.Module):
    """The states of `level` back up to sound."""

    def __init__(self, config: JukeboxVQVAEConfig, level: int) -> None:
        super().__init__()
        width, depth = (config.multipliers[level] * n for n in (config.res_conv_width, config.res_conv_depth))
        self.level_blocks = nn.ModuleList(
            JukeboxUpsampler(config, below, config.embed_dim, width, depth, back=True)
            for below in range(level + 1)
        )
        self.out = nn.Conv1d(config.embed_dim, config.conv_input_shape, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        for block in reversed(self.level_blocks):
            hidden = block(hidden)
        return self.out(hidden)


class JukeboxBottleneckBlock(nn.Module):
    """The codebook of a level, (codes, size): states become the number of the nearest entry."""

    codebook: Tensor

    def __init__(self, config: JukeboxVQVAEConfig) -> None:
        super().__init__()
        self.register_buffer("codebook", torch.zeros(config.nb_discrete_codes, config.embed_dim))

    def encode(self, states: Tensor) -> Tensor:
        """States (batch, size, time) as codes (batch, time)."""
        flat = states.transpose(1, 2)
        products = flat @ self.codebook.t()
        distance = flat.square().sum(-1, keepdim=True) - 2 * products + self.codebook.square().sum(-1)
        return distance.argmin(-1)

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (batch, time) as states (batch, size, time)."""
        return F.embedding(codes, self.codebook).transpose(1, 2)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """States with the gradient of `states`, and how far they were from the codes (mean square)."""
        nearest = self.decode(self.encode(states))
        return states + (nearest - states).detach(), F.mse_loss(states, nearest.detach())


class JukeboxBottleneck(nn.Module):
    """The codebooks of all levels."""

    def __init__(self, config: JukeboxVQVAEConfig) -> None:
        super().__init__()
        self.level_blocks = nn.ModuleList(JukeboxBottleneckBlock(config) for _ in range(config.levels))


def init_jukebox(module: nn.Module, config: Any) -> bool:
    """Initial values that the family sets itself; False where the usual ones do."""
    scale, zero = config.init_scale, config.zero_out
    if isinstance(module, JukeboxBottleneckBlock):
        nn.init.normal_(module.codebook, std=scale)
    elif isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
        module.reset_parameters()
    elif isinstance(module, JukeboxResConv1DBlock) and zero:
        nn.init.zeros_(module.conv1d_2.weight)
        nn.init.zeros_(module.conv1d_2.bias)  # type: ignore[arg-type]
    else:
        return False
    return True


class JukeboxVQVAE(PreTrainedModel):
    """Sound to tokens and back. Levels are numbered from the finest, 0, to the coarsest."""

    config_class = JukeboxVQVAEConfig
    base_model_prefix = "vqvae"
    main_input_name = "raw_audio"
    config: JukeboxVQVAEConfig

    def __init__(self, config: JukeboxVQVAEConfig) -> None:
        super().__init__(config)
        self.levels = config.levels
        self.hop_lengths = config.hop_lengths
        #: tokens of `sample_length` samples, the coarsest level first
        self.music_tokens_shapes = [config.sample_length // hop for hop in reversed(self.hop_lengths)]
        self.encoders = nn.ModuleList(JukeboxEncoder(config, level) for level in range(config.levels))
        self.decoders = nn.ModuleList(JukeboxDecoder(config, level) for level in range(config.levels))
        self.bottleneck = JukeboxBottleneck(config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if not init_jukebox(module, self.config):
            super()._init_weights(module)

    def _span(self, start: int, end: int | None) -> range:
        end = self.levels if end is None else end
        if not 0 <= start < end <= self.levels:
            raise ProcessingError(f"Levels {start} to {end} are no span of this VQ-VAE's 0 to {self.levels}.")
        return range(start, end)

    def _channels_first(self, sound: Tensor) -> Tensor:
        channels = self.config.conv_input_shape
        if sound.ndim != 3 or sound.shape[-1] != channels:
            raise ProcessingError(
                f"Sound has the shape (batch, samples, {channels}) here, not {tuple(sound.shape)}."
            )
        if sound.shape[1] < self.hop_lengths[-1]:
            raise ProcessingError(
                f"{sound.shape[1]} samples are less than the {self.hop_lengths[-1]} of a token."
            )
        return sound.transpose(1, 2).to(self.dtype)

    def encode(
        self, input_audio: Tensor, start_level: int = 0, end_level: int | None = None, bs_chunks: int = 1
    ) -> list[Tensor]:
        """Sound (batch, samples, channels) as tokens (batch, time), one tensor a level, the finest first.

        bs_chunks: parts into which the batch is cut to save memory.
        """
        sounds = self._channels_first(input_audio)
        return [
            torch.cat(
                [
                    self.bottleneck.level_blocks[level].encode(self.encoders[level](part))  # type: ignore[operator]
                    for part in sounds.chunk(bs_chunks)
                ]
            )
            for level in self._span(start_level, end_level)
        ]

    def decode(
        self,
        music_tokens: Sequence[Tensor],
        start_level: int = 0,
        end_level: int | None = None,
        bs_chunks: int = 1,
    ) -> Tensor:
        """Sound (batch, samples, channels) of `music_tokens[0]`, tokens (batch, time) of `start_level`.

        `music_tokens` is what `encode` with the same `start_level` gave; further levels are not needed.
        """
        self._span(start_level, end_level)
        if not len(music_tokens) or music_tokens[0].ndim != 2:
            raise ProcessingError("music_tokens is a list of tokens (batch, time), one tensor a level.")
        first, codes = music_tokens[0], self.config.nb_discrete_codes
        if first.numel() and not 0 <= int(first.min()) <= int(first.max()) < codes:
            raise ProcessingError(f"Music tokens lie between 0 and {codes - 1}; these do not.")
        block, decoder = self.bottleneck.level_blocks[start_level], self.decoders[start_level]
        parts = [decoder(block.decode(part)) for part in first.chunk(bs_chunks)]  # type: ignore[operator]
        return torch.cat(parts).transpose(1, 2)

    def sample(self, n_samples: int) -> Tensor:
        """The sound of random tokens, (n_samples, samples, channels): what the codebooks alone can say."""
        shape = (n_samples, self.music_tokens_shapes[-1])
        return self.decode([torch.randint(0, self.config.nb_discrete_codes, shape, device=self.device)])

    def forward(self, raw_audio: Tensor) -> tuple[list[Tensor], Tensor]:
        """What each level makes of the sound (batch, samples, channels), and the commitment loss."""
        sounds = self._channels_first(raw_audio)
        passes = [
            block(encoder(sounds))
            for encoder, block in zip(self.encoders, self.bottleneck.level_blocks, strict=True)
        ]
        again = [decoder(states) for decoder, (states, _) in zip(self.decoders, passes, strict=True)]
        loss = torch.stack([loss for _, loss in passes]).sum()
        return [sound.transpose(1, 2) for sound in again], self.config.commit * loss
