"""Swin2SR: windows of Swin V2 in residual groups, and a head that enlarges the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ImageSuperResolutionOutput
from zoo_core.nn.drop_path import drop_rates
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken
from zoo_vision.swin.model import Grid, SwinEmbeddings, stage_factors
from zoo_vision.swin2sr.config import Swin2SRConfig
from zoo_vision.swinv2.model import Swinv2Layer


class Swin2SRPreTrainedModel(PreTrainedModel):
    """What all Swin2SR classes share."""

    config_class = Swin2SRConfig
    base_model_prefix = "swin2sr"
    main_input_name = "pixel_values"
    ignored_names = ("*relative_position_index", "*relative_coords_table")


def conv(channels: int, width: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size."""
    return nn.Conv2d(channels, width, 3, padding=1)


class Swin2SRStage(nn.Module):
    """Layers, a convolution of their map, added to what they began with."""

    def __init__(self, config: Swin2SRConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        size = config.embed_dim
        heads = config.num_heads[index]
        self.layers = nn.ModuleList(
            Swinv2Layer(cast(Any, config), size, heads, shifted=bool(i % 2), drop_path=next(rates))
            for i in range(config.depths[index])
        )
        self.conv: nn.Module = conv(size, size)
        if config.resi_connection == "3conv":
            self.conv = nn.Sequential(
                conv(size, size // 4),
                nn.LeakyReLU(0.2),
                nn.Conv2d(size // 4, size // 4, 1),
                nn.LeakyReLU(0.2),
                conv(size // 4, size),
            )
        self.projection = nn.Conv2d(size, size, config.patch_size, config.patch_size)

    hub_names: HubNames = {"projection": "patch_embed.projection"}

    def forward(self, hidden: Tensor, grid: Grid, head_mask: Tensor | None) -> Tensor:
        x = hidden
        for layer in self.layers:
            x = layer(x, grid, head_mask)
        x = self.projection(self.conv(x.transpose(1, 2).unflatten(2, grid)))
        return hidden + x.flatten(2).transpose(1, 2)


class Swin2SRModel(Swin2SRPreTrainedModel):
    """A convolution, stages of windows, a norm and a convolution, added to the first one's map."""

    hub_names: HubNames = {
        "stages": "encoder.stages",
        "norm": "layernorm",
        "embeddings.norm": "embeddings.patch_embeddings.layernorm",
    }

    def __init__(self, config: Swin2SRConfig) -> None:
        super().__init__(config)
        size = config.embed_dim
        self.first_convolution = conv(config.num_channels, size)
        self.embeddings = SwinEmbeddings(cast(Any, config))
        self.embeddings.patch_embeddings.projection = nn.Conv2d(
            size, size, config.patch_size, config.patch_size
        )
        self.embeddings.patch_embeddings.channels = size
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(Swin2SRStage(config, i, rates) for i in range(len(config.depths)))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.conv_after_body = conv(size, size)
        self.post_init()

    def mean(self) -> Tensor:
        """(1, channels or 1, 1, 1): what of the pixels is not seen."""
        coloured = self.config.num_channels == self.config.num_channels_out == 3
        return torch.tensor((0.4488, 0.4371, 0.4040) if coloured else (0.0,))[None, :, None, None]

    def forward(self, pixel_values: Tensor, *, head_mask: Tensor | None = None) -> BaseModelOutput:
        """(batch, channels, height, width) to a map (batch, hidden, height, width)."""
        height, width = pixel_values.shape[-2:]
        side = self.config.window_size
        x = F.pad(pixel_values, (0, -width % side, 0, -height % side), mode="reflect")
        x = self.first_convolution((x - self.mean().to(x)) * self.config.img_range)
        hidden, grid = self.embeddings(x)
        record(HIDDEN_STATES, hidden)
        weights: list[Tensor] = []
        for i, stage in enumerate(self.stages):
            hidden = stage(hidden, grid, stage_factors(head_mask, i))
            record(HIDDEN_STATES, hidden)
            weights += taken(ATTENTIONS)[-1:]  # as released, those of each stage's last layer
        body = self.norm(hidden).transpose(1, 2).unflatten(2, grid)
        found = (self.conv_after_body(body) + x)[..., :height, :width]
        return BaseModelOutput(last_hidden_state=found, attentions=tuple(weights) or None)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class ShuffleUpsampler(nn.Sequential):
    """Convolutions whose channels become pixels, each of which doubles the size (or once triples it)."""

    def __init__(self, width: int, upscale: int) -> None:
        super().__init__()
        factors = [3] if upscale == 3 else [2] * (upscale.bit_length() - 1)
        for i, factor in enumerate(factors):
            name = "convolution" if upscale == 3 else f"convolution_{i}"
            self.add_module(name, conv(width, factor**2 * width))
            self.add_module(f"shuffle_{i}", nn.PixelShuffle(factor))


class ShuffleHead(nn.Module):
    """Features, shuffled to pixels, to an image; `auxiliary`: together with one enlarged bicubically."""

    conv_bicubic: nn.Module | None

    def __init__(self, config: Swin2SRConfig, *, auxiliary: bool) -> None:
        super().__init__()
        width, out, self.upscale = 64, config.num_channels_out or 3, config.upscale
        self.conv_bicubic = None
        self.conv_before_upsample = conv(config.embed_dim, width)
        if auxiliary:
            self.conv_bicubic = conv(config.num_channels, width)
            self.conv_aux, self.conv_after_aux = conv(width, config.num_channels), conv(3, width)
        self.upsample = ShuffleUpsampler(width, config.upscale)
        self.final_convolution = conv(width, out)

    hub_names: HubNames = {"conv_after_aux": "conv_after_aux.0"}

    def forward(self, x: Tensor, pixel_values: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv_before_upsample(x))
        if self.conv_bicubic is None:
            return self.final_convolution(self.upsample(x))
        x = F.leaky_relu(self.conv_after_aux(self.conv_aux(x)))
        size = [side * self.upscale for side in pixel_values.shape[-2:]]
        large = F.interpolate(pixel_values, size=size, mode="bicubic", align_corners=False)
        return self.final_convolution(self.upsample(x) + self.conv_bicubic(large))


class DirectHead(nn.Module):
    """Features to an image in one step."""

    def __init__(self, config: Swin2SRConfig) -> None:
        super().__init__()
        self.conv = conv(config.embed_dim, config.upscale**2 * (config.num_channels_out or 3))
        self.pixels = nn.PixelShuffle(config.upscale)

    def forward(self, x: Tensor, pixel_values: Tensor) -> Tensor:
        return self.pixels(self.conv(x))


class NearestHead(nn.Module):
    """Features, copied to twice the size and convolved once or, for four times the size, twice."""

    def __init__(self, config: Swin2SRConfig) -> None:
        super().__init__()
        width = 64
        self.conv_before_upsample = conv(config.embed_dim, width)
        self.conv_up1, self.conv_up2 = conv(width, width), conv(width, width)
        self.conv_hr, self.final_convolution = conv(width, width), conv(width, config.num_channels_out or 3)

    def forward(self, x: Tensor, pixel_values: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv_before_upsample(x))
        for enlarge in (self.conv_up1, self.conv_up2):
            x = F.leaky_relu(enlarge(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        return self.final_convolution(F.leaky_relu(self.conv_hr(x), 0.2))


class Swin2SRForImageSuperResolution(Swin2SRPreTrainedModel):
    """Swin2SR with the head that its config names."""

    hub_names: HubNames = {"model": "swin2sr"}

    def __init__(self, config: Swin2SRConfig) -> None:
        super().__init__(config)
        self.model = Swin2SRModel(config)
        kind = config.upsampler
        if kind.startswith("pixelshuffle") and kind != "pixelshuffledirect":
            self.upsample: nn.Module | None = ShuffleHead(config, auxiliary=kind.endswith("aux"))
        elif kind == "pixelshuffledirect":
            self.upsample = DirectHead(config)
        else:
            self.upsample = NearestHead(config) if kind else None
        plain = self.upsample is None
        self.final_convolution = conv(config.embed_dim, config.num_channels_out or 3) if plain else None
        self.post_init()

    def forward(
        self, pixel_values: Tensor, *, head_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> ImageSuperResolutionOutput:
        """(batch, channels, height, width) to an image `upscale` times as high and wide."""
        if labels is not None:
            raise NotImplementedError("no loss is defined for Swin2SR: leave labels out")
        outputs = self.model(pixel_values, head_mask=head_mask)
        x = outputs.last_hidden_state
        if self.upsample is not None:
            x = self.upsample(x, pixel_values)
        elif self.final_convolution is not None:
            x = pixel_values + self.final_convolution(x)
        image = x / self.config.img_range + self.model.mean().to(x)
        return ImageSuperResolutionOutput.carry(outputs, reconstruction=image)
