"""The image tokenizer of Janus: a VQGAN (https://arxiv.org/abs/2012.09841)."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_multimodal.chameleon.vq import Level, PixelAttention, Quantizer, ResidualBlock, VQEncoder, group_norm
from zoo_multimodal.emu3.vq import Upsample
from zoo_multimodal.janus.config import JanusVQVAEConfig

COMMITMENT = 0.25
"""Weight of the encoder's part of the quantization loss."""


class JanusVQVAEOutput(ModelOutput):
    """Images (batch, channels, height, width) out of their codes, and the quantization loss."""

    decoded_pixel_values: Tensor
    embedding_loss: Tensor | None = None


class JanusVQEncoder(VQEncoder):
    """The last level attends."""

    def attends(self, config: Any, level: int) -> bool:
        return level == len(config.channel_multiplier) - 1


class VQDecoder(nn.Module):
    """A block that attends, and levels of residual blocks, each twice the size of the one before."""

    def __init__(self, config: JanusVQVAEConfig) -> None:
        super().__init__()
        factors = config.channel_multiplier[::-1]
        width = config.base_channels * factors[0]
        self.conv_in = nn.Conv2d(config.latent_channels, width, 3, padding=1)
        self.mid = nn.Sequential()
        self.mid.add_module("block_1", ResidualBlock(width, width, dropout=config.dropout))
        self.mid.add_module("attn_1", PixelAttention(width))
        self.mid.add_module("block_2", ResidualBlock(width, width, dropout=config.dropout))
        self.up = nn.ModuleList()
        for level, factor in enumerate(factors):
            blocks: list[nn.Module] = []
            for _ in range(config.num_res_blocks + 1):
                blocks.append(ResidualBlock(width, config.base_channels * factor, dropout=config.dropout))
                width = config.base_channels * factor
            attentions: list[nn.Module] = [] if level else [PixelAttention(width) for _ in blocks]
            resize = {} if level == len(factors) - 1 else {"upsample": Upsample(width)}
            self.up.append(Level(blocks, attentions, **resize))
        self.norm_out = group_norm(width)
        self.conv_out = nn.Conv2d(width, config.out_channels, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        """(batch, latent channels, rows, columns) to (batch, channels, height, width)."""
        hidden = self.mid(self.conv_in(latent))
        for level in self.up:
            hidden = level(hidden)
        return self.conv_out(F.silu(self.norm_out(hidden)))


class UnitQuantizer(Quantizer):
    """The nearest vector of a codebook; what is drawn from are the vectors with length one."""

    def vectors(self, codes: Tensor) -> Tensor:
        """Codes (...) to vectors (..., width)."""
        return F.normalize(self.embedding(codes), dim=-1)


class JanusVQVAE(PreTrainedModel):
    """From images to codes and back."""

    config_class = JanusVQVAEConfig
    main_input_name = "pixel_values"

    def __init__(self, config: JanusVQVAEConfig) -> None:
        super().__init__(config)
        self.encoder = JanusVQEncoder(config)
        self.quantize = UnitQuantizer(config.num_embeddings, config.embed_dim)
        self.quant_conv = nn.Conv2d(config.latent_channels, config.embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(config.embed_dim, config.latent_channels, 1)
        self.decoder = VQDecoder(config)
        self.post_init()

    def latent(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, rows, columns, width)."""
        channels = self.config.in_channels
        if pixel_values.dim() != 4 or pixel_values.shape[1] != channels:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; the tokenizer of images takes (batch, "
                f"{channels}, height, width)"
            )
        encoded: Tensor = self.quant_conv(self.encoder(pixel_values.to(self.quant_conv.weight.dtype)))
        return encoded.permute(0, 2, 3, 1)

    def encode(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to codes (batch, places)."""
        codes: Tensor = self.quantize(self.latent(pixel_values))
        return codes.flatten(1)

    def decode(self, image_tokens: Tensor) -> Tensor:
        """Codes (batch, places) of square images to (batch, channels, height, width)."""
        side = self.config.num_patches
        if image_tokens.shape[-1] != side**2:
            raise ValueError(f"an image is {side} x {side} = {side**2} codes, not {image_tokens.shape[-1]}")
        vectors = self.quantize.vectors(image_tokens).unflatten(1, (side, side))
        return self.drawn(vectors)

    def drawn(self, vectors: Tensor) -> Tensor:
        """Vectors of codes (batch, rows, columns, width) to (batch, channels, height, width)."""
        image: Tensor = self.decoder(self.post_quant_conv(vectors.permute(0, 3, 1, 2)))
        return image

    def forward(self, pixel_values: Tensor) -> JanusVQVAEOutput:
        """Images (batch, channels, height, width) to what is left of them behind their codes."""
        latent = self.latent(pixel_values)
        codes = self.quantize(latent)
        nearest = self.quantize.embedding(codes)
        loss = COMMITMENT * F.mse_loss(latent, nearest.detach()) + F.mse_loss(nearest, latent.detach())
        drawn = self.drawn(self.quantize.vectors(codes))
        return JanusVQVAEOutput(decoded_pixel_values=drawn, embedding_loss=loss)
