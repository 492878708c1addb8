"""Pixtral's image tower: a decoder's layers over images of any size, each seen by itself."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary_multi import GridRotary
from zoo_core.nn.stack import run_layers
from zoo_multimodal.packed import PackedAttention, grid_places
from zoo_multimodal.pixtral.config import PixtralVisionConfig

norm = partial(RMSNorm, eps=1e-5)


class PixtralLayer(PreNormLayer):
    """Attention within an image and a gated feed-forward block."""

    hub_names = {
        "self_attn": "attention",
        "mlp": "feed_forward",
        "input_layernorm": "attention_norm",
        "post_attention_layernorm": "ffn_norm",
    }


class PixtralVisionModel(PreTrainedModel):
    """The tower; its states are those of all images in one row."""

    config_class = PixtralVisionConfig
    main_input_name = "pixel_values"
    hub_names = {"norm": "ln_pre", "layers": "transformer.layers"}

    def __init__(self, config: PixtralVisionConfig) -> None:
        super().__init__(config)
        size, heads, patch = config.hidden_size, config.num_attention_heads, config.patch_size
        self.patch_size = patch
        self.patch_conv = nn.Conv2d(config.num_channels, size, patch, patch, bias=False)
        self.norm = norm(size)
        self.layers = nn.ModuleList(
            PixtralLayer(
                size,
                norm,
                self_attn=PackedAttention(size, heads, bias=False, dropout=config.attention_dropout),
                mlp=GatedMLP(size, config.intermediate_size, config.hidden_act),
            )
            for _ in range(config.num_hidden_layers)
        )
        self.rotary = GridRotary(size // heads, theta=config.rope_theta, alternate=True)
        self.post_init()

    def forward(self, pixel_values: Tensor, image_sizes: Tensor | None = None) -> BaseModelOutput:
        """Images (images, channels, height, width) to (1, patches of all images, hidden).

        `image_sizes` (images, 2) are heights and widths without the padding on the right and at the bottom.
        """
        images = self.patch_conv(pixel_values.to(self.patch_conv.weight.dtype))
        grid = patch_grid(pixel_values, image_sizes, self.patch_size)
        parts = [
            one[:, :rows, :columns].flatten(1) for one, (rows, columns) in zip(images, grid, strict=True)
        ]
        hidden = self.norm(torch.cat(parts, dim=1).t()[None])
        places = grid_places([(1, *one) for one in grid], 1, hidden.device)
        hidden = run_layers(
            self.layers,
            hidden,
            AttentionContext(hidden),
            rotary=self.rotary(places),
            lengths=[rows * columns for rows, columns in grid],
        )
        return BaseModelOutput(last_hidden_state=hidden)

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_conv


def patch_grid(pixels: Tensor, image_sizes: Tensor | None, patch: int) -> list[tuple[int, int]]:
    """Rows and columns of patches of each image."""
    height, width = pixels.shape[-2:]
    sizes = [(height, width)] * len(pixels) if image_sizes is None else torch.as_tensor(image_sizes).tolist()
    if len(sizes) != len(pixels) or any(tall > height or wide > width for tall, wide in sizes):
        raise ValueError(
            f"image_sizes {sizes[:4]} do not fit {len(pixels)} images of {height}x{width} pixels"
        )
    return [(int(tall) // patch, int(wide) // patch) for tall, wide in sizes]
