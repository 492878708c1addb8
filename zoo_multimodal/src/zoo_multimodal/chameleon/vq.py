"""The image tokenizer of Chameleon: a VQGAN's encoder (https://arxiv.org/abs/2012.09841)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.chameleon.config import ChameleonVQVAEConfig


def group_norm(width: int) -> nn.GroupNorm:
    """The norm before each convolution."""
    return nn.GroupNorm(32, width, eps=1e-6)


class ResidualBlock(nn.Module):
    """x + conv(act(norm(conv(act(norm(x)))))); `given` are further arguments of the norms."""

    nin_shortcut: nn.Module | None

    def __init__(
        self,
        width: int,
        out_width: int,
        *,
        norm: Callable[[int], nn.Module] = group_norm,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(width), norm(out_width)
        self.conv1 = nn.Conv2d(width, out_width, 3, padding=1)
        self.conv2 = nn.Conv2d(out_width, out_width, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.nin_shortcut = None if width == out_width else nn.Conv2d(width, out_width, 1)

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x, *given)))
        hidden = self.conv2(self.dropout(F.silu(self.norm2(hidden, *given))))
        return hidden + (x if self.nin_shortcut is None else self.nin_shortcut(x))


class PixelAttention(nn.Module):
    """x + attention of all places of norm(x), with one head."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = group_norm(width)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (part(normed).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v))
        attended = F.scaled_dot_product_attention(query, key, value)
        return x + self.proj_out(attended.transpose(1, 2).unflatten(2, x.shape[-2:]))


class Downsample(nn.Module):
    """A convolution of stride 2, padded at the right and below."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Level(nn.Module):
    """Residual blocks, with attention behind each where the level attends, and a change of size."""

    def __init__(self, blocks: list[nn.Module], attentions: list[nn.Module], **resize: nn.Module) -> None:
        super().__init__()
        self.block, self.attn = nn.ModuleList(blocks), nn.ModuleList(attentions)
        self.resize = next(iter(resize), None)
        for name, module in resize.items():
            setattr(self, name, module)

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        for i, block in enumerate(self.block):
            x = block(x, *given)
            if len(self.attn):
                x = self.attn[i](x, *given)
        return x if self.resize is None else getattr(self, self.resize)(x)


def is_plain(config: Any) -> bool:
    """Whether nothing attends."""
    return getattr(config, "attn_type", "vanilla") != "vanilla"


class VQEncoder(nn.Module):
    """Levels of residual blocks, each half the size of the one before, and a block that attends."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        width = config.base_channels
        self.conv_in = nn.Conv2d(config.in_channels, width, 3, padding=1)
        self.down = nn.ModuleList()
        for level, factor in enumerate(config.channel_multiplier):
            out = config.base_channels * factor
            blocks: list[nn.Module] = []
            for _ in range(config.num_res_blocks):
                blocks.append(ResidualBlock(width, out, dropout=config.dropout))
                width = out
            attentions: list[nn.Module] = []
            if self.attends(config, level):
                attentions = [PixelAttention(width) for _ in blocks]
            last = level == len(config.channel_multiplier) - 1
            resize = {} if last else {"downsample": Downsample(width)}
            self.down.append(Level(blocks, attentions, **resize))
        self.mid = nn.Sequential()
        self.mid.add_module("block_1", ResidualBlock(width, width, dropout=config.dropout))
        self.mid.add_module("attn_1", nn.Identity() if is_plain(config) else PixelAttention(width))
        self.mid.add_module("block_2", ResidualBlock(width, width, dropout=config.dropout))
        self.norm_out = group_norm(width)
        out = config.latent_channels * (2 if config.double_latent else 1)
        self.conv_out = nn.Conv2d(width, out, 3, padding=1)

    def attends(self, config: Any, level: int) -> bool:
        """Whether a level attends."""
        return not is_plain(config) and config.resolution // 2**level in (config.attn_resolutions or ())

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, latent channels, height / n, width / n)."""
        hidden = self.conv_in(pixel_values)
        for level in self.down:
            hidden = level(hidden)
        return self.conv_out(F.silu(self.norm_out(self.mid(hidden))))


class Quantizer(nn.Module):
    """The nearest vector of a codebook."""

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, width)

    def forward(self, latent: Tensor) -> Tensor:
        """(..., width) to codes (...)."""
        table = self.embedding.weight
        flat = latent.flatten(0, -2)
        distance = flat.square().sum(1, keepdim=True) + table.square().sum(1) - 2 * flat @ table.t()
        return distance.argmin(1).view(latent.shape[:-1])


class ChameleonVQVAE(PreTrainedModel):
    """From images to codes."""

    config_class = ChameleonVQVAEConfig
    main_input_name = "pixel_values"
    ignored_names = ("*decoder.*",)

    def __init__(self, config: ChameleonVQVAEConfig) -> None:
        super().__init__(config)
        self.encoder = VQEncoder(config)
        self.quantize = Quantizer(config.num_embeddings, config.embed_dim)
        self.quant_conv = nn.Conv2d(config.latent_channels, config.embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(config.embed_dim, config.latent_channels, 1)  # in files, not read
        self.post_init()

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to codes (batch, places)."""
        return self.encode(pixel_values)

    def encode(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to codes (batch, places)."""
        channels = self.config.in_channels
        if pixel_values.dim() != 4 or pixel_values.shape[1] != channels:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; the tokenizer of images takes (batch, "
                f"{channels}, height, width)"
            )
        latent = self.quant_conv(self.encoder(pixel_values.to(self.quant_conv.weight.dtype)))
        return self.quantize(latent.flatten(2).transpose(1, 2))


def image_codes(vocabulary: dict[str, int] | None, code_of: Callable[[str], int | None]) -> dict[int, int]:
    """Code of an image -> id of its token, of all tokens for which `code_of` gives a code."""
    found: dict[int, int] = {}
    for token, index in (vocabulary or {}).items():
        code = code_of(token)
        if code is not None:
            found[code] = index
    return found


class TokenIds:
    """From codes of images to ids of tokens, and back; codes between without a token become token 0."""

    def __init__(self, ids: dict[int, int]) -> None:
        self.ids = torch.tensor(list(ids.values()), dtype=torch.int64, device="cpu")
        self.table = torch.zeros(max(ids, default=-1) + 1, dtype=torch.int64, device="cpu")
        self.table[list(ids)] = self.ids
        self.codes = {index: code for code, index in ids.items()}

    def __call__(self, codes: Tensor) -> Tensor:
        """Codes of any shape to ids.

        Raises:
            ValueError: a code is beyond those of the vocabulary.
        """
        if codes.numel() and int(codes.max()) >= len(self.table):
            raise ValueError(
                f"the image holds code {int(codes.max())}; config.vocabulary_map has tokens for codes below "
                f"{len(self.table)}"
            )
        return self.table.to(codes.device)[codes]

    def reverse(self, ids: Tensor) -> Tensor:
        """Ids of image tokens of any shape to codes."""
        found = [self.codes.get(int(one)) for one in ids.flatten()]
        if None in found:
            raise ValueError(f"id {int(ids.flatten()[found.index(None)])} is no token of an image")
        return torch.tensor(found, device=ids.device).view(ids.shape)
