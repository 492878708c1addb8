"""The image tokenizer of Emu3, after MoVQ (https://arxiv.org/abs/2209.09002): images and videos to codes."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import unrecorded
from zoo_multimodal.chameleon.vq import Downsample, Level, Quantizer, ResidualBlock, group_norm
from zoo_multimodal.emu3.config import Emu3VQVAEConfig


class PlainNorm(nn.GroupNorm):
    """A group norm that takes what the other norm reads, and does not."""

    def __init__(self, width: int) -> None:
        super().__init__(32, width, eps=1e-6)

    def forward(self, x: Tensor, *unused: Tensor) -> Tensor:
        return super().forward(x)


class SpatialNorm(nn.Module):
    """A group norm whose scale and shift at each place depend on the codes there."""

    def __init__(self, width: int, *, codes: int) -> None:
        super().__init__()
        self.norm_layer = group_norm(width)
        self.conv_y, self.conv_b = nn.Conv2d(codes, width, 1), nn.Conv2d(codes, width, 1)

    def forward(self, x: Tensor, codes: Tensor) -> Tensor:
        codes = F.interpolate(codes, size=x.shape[-2:], mode="nearest")
        return self.norm_layer(x) * self.conv_y(codes) + self.conv_b(codes)


class PlaceAttention(nn.Module):
    """x + attention of all places of norm(x)."""

    def __init__(self, config: Emu3VQVAEConfig, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm
        self.self_attn = Attention(
            config.hidden_size, config.num_attention_heads, dropout=config.attention_dropout
        )

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        tokens = self.norm(x, *given).flatten(2).transpose(1, 2)
        with unrecorded():
            attended = self.self_attn(tokens, AttentionContext(tokens))
        return x + attended.transpose(1, 2).unflatten(2, x.shape[-2:])


class Emu3Level(Level):
    """A level whose attentions have their norms apart in files."""

    hub_names = {
        "attn.*.norm": "attn_norms.*",
        "attn.*.self_attn": "attn.*",
        "attn.*.self_attn.o_proj": "attn.*.out_proj",
    }


class Middle(nn.Module):
    """Two blocks with attention between."""

    hub_names = {
        "attn.norm": "attn_norm",
        "attn.self_attn": "attn_1",
        "attn.self_attn.o_proj": "attn_1.out_proj",
    }

    def __init__(self, config: Emu3VQVAEConfig, width: int, norm: Any) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(width, width, norm=norm)
        self.attn = PlaceAttention(config, norm(width))
        self.block_2 = ResidualBlock(width, width, norm=norm)

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        return self.block_2(self.attn(self.block_1(x, *given), *given), *given)


class CausalConv3d(nn.Module):
    """A convolution over (batch, channels, time, height, width) that sees no later frames."""

    def __init__(self, width: int, out: int, kernel: tuple[int, int, int], stride: int = 1) -> None:
        super().__init__()
        high, wide = kernel[1] - 1, kernel[2] - 1
        self.padding = (wide - wide // 2, wide // 2, high - high // 2, high // 2, 2, 0)
        self.conv = nn.Conv3d(width, out, kernel, stride=(stride, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, self.padding))


class TimeBlock(nn.Module):
    """x + conv(act(norm(conv(act(norm(x)))))) over time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm3d(width), nn.BatchNorm3d(width)
        self.conv1, self.conv2 = (CausalConv3d(width, width, (3, 3, 3)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class TimeDownsample(nn.Module):
    """Half as many frames."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = CausalConv3d(width, width, (4, 3, 3), stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class TimeUpsample(nn.Module):
    """Twice as many frames."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = CausalConv3d(width, width, (3, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.repeat_interleave(2, dim=2))


class Upsample(nn.Module):
    """Twice the size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def halvings(config: Emu3VQVAEConfig) -> int:
    """How often time is halved."""
    return int(math.log2(config.temporal_downsample_factor))


def level_of(
    config: Emu3VQVAEConfig, index: int, widths: list[int], norm: Any, **resize: nn.Module
) -> Emu3Level:
    """A level whose blocks go from each of `widths` to the next."""
    blocks: list[nn.Module] = [ResidualBlock(a, b, norm=norm) for a, b in pairwise(widths)]
    attends = index in (config.attn_resolutions or ())
    attentions: list[nn.Module] = (
        [PlaceAttention(config, norm(widths[-1])) for _ in blocks] if attends else []
    )
    return Emu3Level(blocks, attentions, **resize)


class Encoder(nn.Module):
    """Levels over each frame, then blocks over time."""

    hub_names = {"down": "down_block.down"}

    def __init__(self, config: Emu3VQVAEConfig) -> None:
        super().__init__()
        base, latent = config.base_channels, config.latent_channels * (2 if config.double_latent else 1)
        self.conv_in = nn.Conv2d(config.in_channels, base, 3, padding=1)
        self.down = nn.ModuleList()
        width, last = base, len(config.channel_multiplier) - 1
        for i, factor in enumerate(config.channel_multiplier):
            widths = [width] + [base * factor] * config.num_res_blocks
            width = base * factor
            resize = {} if i == last else {"downsample": Downsample(width)}
            self.down.append(level_of(config, i, widths, PlainNorm, **resize))
        self.middle_block = Middle(config, width, PlainNorm)
        self.norm_out = group_norm(width)
        self.conv_out = nn.Conv2d(width, latent, 3, padding=1)
        self.time_conv = nn.ModuleList(TimeDownsample(latent) for _ in range(halvings(config)))
        self.time_res_stack = nn.ModuleList(TimeBlock(latent) for _ in range(config.num_res_blocks))

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, time, channels, height, width) to (batch, latent, time, height, width), both smaller."""
        hidden = self.conv_in(frames.flatten(0, 1))
        for level in self.down:
            hidden = level(hidden)
        hidden = self.conv_out(F.silu(self.norm_out(self.middle_block(hidden))))
        hidden = hidden.unflatten(0, frames.shape[:2]).transpose(1, 2)
        for shrink in self.time_conv:
            hidden = F.silu(shrink(hidden))
        for block in self.time_res_stack:
            hidden = block(hidden)
        return hidden


class Decoder(nn.Module):
    """Blocks over time, then levels over each frame; norms read the codes."""

    hub_names = {"up": "up_block.up"}

    def __init__(self, config: Emu3VQVAEConfig) -> None:
        super().__init__()
        base, latent, factors = config.base_channels, config.latent_channels, config.channel_multiplier
        norm = partial(SpatialNorm, codes=config.embed_dim)
        self.time_res_stack = nn.ModuleList(TimeBlock(latent) for _ in range(config.num_res_blocks))
        self.time_conv = nn.ModuleList(TimeUpsample(latent) for _ in range(halvings(config)))
        width = base * factors[-1]
        self.conv_in = nn.Conv2d(latent, width, 3, padding=1)
        self.middle_block = Middle(config, width, norm)
        levels = []
        for i in reversed(range(len(factors))):
            widths = [width] + [base * factors[i]] * (config.num_res_blocks + 1)
            width = base * factors[i]
            resize = {"upsample": Upsample(width)} if i else {}
            levels.append(level_of(config, i, widths, norm, **resize))
        self.up = nn.ModuleList(reversed(levels))
        self.norm_out = norm(width)
        self.conv_out = nn.Conv2d(width, config.out_channels, 3, padding=1)

    def forward(self, hidden: Tensor, codes: Tensor) -> Tensor:
        """Two times (batch, latent, time, height, width) to frames (batch, time, channels, height, width)."""
        both = torch.cat((hidden, codes))
        for block in self.time_res_stack:
            both = block(both)
        for grow in self.time_conv:
            both = F.silu(grow(both))
        both = both.transpose(1, 2)
        batch, time = len(both) // 2, both.shape[1]
        hidden, codes = (x.flatten(0, 1) for x in both.chunk(2))
        hidden = self.middle_block(self.conv_in(hidden), codes)
        for level in reversed(self.up):
            hidden = level(hidden, codes)
        frames = self.conv_out(F.silu(self.norm_out(hidden, codes)))
        return frames.unflatten(0, (batch, time))


class Emu3VQVAE(PreTrainedModel):
    """From images and videos to codes, and back."""

    config_class = Emu3VQVAEConfig
    main_input_name = "pixel_values"

    def __init__(self, config: Emu3VQVAEConfig) -> None:
        super().__init__(config)
        latent, width = config.latent_channels, config.embed_dim
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.quantize = Quantizer(config.codebook_size, width)
        self.quant_conv = CausalConv3d(latent, width, (3, 1, 1))
        self.post_quant_conv = CausalConv3d(width, latent, (3, 1, 1))
        self.post_init()

    @property
    def scale(self) -> int:
        """Pixels on a side of what a code stands for."""
        return 2 ** (len(self.config.channel_multiplier) - 1)

    def encode(self, pixel_values: Tensor, image_sizes: Tensor) -> list[Tensor]:
        """Images (batch, channels, height, width), of sizes (batch, 2), to codes (rows, columns) of each.

        Videos (batch, time, channels, height, width) give (time, rows, columns).
        """
        if pixel_values.dim() not in (4, 5):
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; they must be (batch, channels, height, "
                "width), or of videos (batch, time, channels, height, width)"
            )
        still = pixel_values.dim() == 4
        frames = pixel_values
        if still:
            frames = pixel_values[:, None].expand(-1, self.config.temporal_downsample_factor, -1, -1, -1)
        latent = self.quant_conv(self.encoder(frames))
        codes = self.quantize(latent.permute(0, 2, 3, 4, 1))
        codes = codes[:, 0] if still else codes
        sizes = (image_sizes // self.scale).tolist()
        return [one[..., :rows, :columns] for one, (rows, columns) in zip(codes, sizes, strict=True)]

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (batch, rows, columns) to images, or (batch, time, rows, columns) to videos."""
        still = codes.dim() == 3
        vectors = self.quantize.embedding(codes[:, None] if still else codes).permute(0, 4, 1, 2, 3)
        frames = self.decoder(self.post_quant_conv(vectors), vectors)
        return frames[:, 0] if still else frames
