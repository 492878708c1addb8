"""Swin as timm builds it, with that library's names in files (https://arxiv.org/abs/2103.14030)."""

from __future__ import annotations

import re

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused, Op
from zoo_core.errors import ConfigError
from zoo_core.nn.masks import AttentionContext
from zoo_vision.nn.window_bias import Grid
from zoo_vision.nn.windows import merge, partition, shifted_mask
from zoo_vision.swin.config import SwinConfig
from zoo_vision.swin.model import SwinLayer, SwinModel, SwinStage
from zoo_vision.timm_backbone.resnet import plain

SIZES = {
    "tiny": (96, [2, 2, 6, 2], 3),
    "small": (96, [2, 2, 18, 2], 3),
    "base": (128, [2, 2, 18, 2], 4),
    "large": (192, [2, 2, 18, 2], 6),
}
"""Width of the first stage, layers of each, and heads of the first; width and heads double with each."""

_NAME = re.compile(r"swin_(tiny|small|base|large)_patch4_window(\d+)_(\d+)")


def _names() -> HubNames:
    """Names in files: a stage begins with its merging there, and ends with it here."""
    here, there = "swin.stages.*.blocks.*", "layers_*.blocks.*"
    attention = f"{here}.self_attn"
    table: dict[str | tuple[str, ...], str | Op] = {
        "swin.embeddings.patch_embeddings.projection": "patch_embed.proj",
        "swin.embeddings.norm": "patch_embed.norm",
        f"{here}.input_layernorm": f"{there}.norm1",
        tuple(f"{attention}.{part}_proj" for part in "qkv"): Fused(f"{there}.attn.qkv"),
        f"{attention}.o_proj": f"{there}.attn.proj",
        f"{attention}.relative_position_bias": f"{there}.attn",
        f"{here}.post_attention_layernorm": f"{there}.norm2",
        f"{here}.mlp": f"{there}.mlp",
    }
    table |= {f"swin.stages.{i}.downsample": f"layers_{i + 1}.downsample" for i in range(3)}
    return table


class TimmSwinLayer(SwinLayer):
    """A map is moved before it is filled up to whole windows, not after."""

    def attend_in_windows(self, hidden: Tensor, grid: Grid, head_mask: Tensor | None) -> Tensor:
        window, shift = self.window_and_shift(grid)
        x = hidden.unflatten(1, grid).roll((-shift, -shift), dims=(1, 2))
        windows, allowed = partition(x, window), None
        if shift:
            rows, columns = (size + -size % window for size in grid)
            allowed = shifted_mask(rows, columns, window, shift, x.device).repeat(len(x), 1, 1)
        windows = self.self_attn(windows, AttentionContext(windows, allowed), head_mask=head_mask)
        return merge(windows, window, *grid).roll((shift, shift), dims=(1, 2)).flatten(1, 2)


class TimmSwinStage(SwinStage):
    """Layers of one size."""

    layer_class = TimmSwinLayer


class TimmSwinModel(SwinModel):
    """Embeddings and stages."""

    stage_class = TimmSwinStage


class TimmSwin(nn.Module):
    """Patches and four stages, whose maps are not normalised; channels come first, not last as in timm.

    Args:
        name: swin_tiny_patch4_window7_224 and its like; owner and weights say nothing.
        stages: how many of the four there are.
        always_partition: windows keep their size on maps that are smaller.

    Raises:
        ConfigError: another name.
    """

    hub_names = _names()
    stage_names = ("layers.0", "layers.1", "layers.2", "layers.3")

    def __init__(
        self, name: str, *, channels: int = 3, stages: int = 4, always_partition: bool = False
    ) -> None:
        super().__init__()
        read = _NAME.fullmatch(plain(name))
        if read is None:
            raise ConfigError(
                f"backbone {name!r} is not among timm's networks that are known here: "
                f"swin_SIZE_patch4_windowWINDOW_IMAGE with a size of {', '.join(SIZES)}. Other networks: "
                "describe one in backbone_config, for example SwinConfig(out_features=['stage4'])"
            )
        width, depths, heads = SIZES[read[1]]
        config = SwinConfig(
            image_size=int(read[3]),
            num_channels=channels,
            embed_dim=width,
            depths=depths[:stages],
            num_heads=[heads * 2**i for i in range(stages)],
            window_size=int(read[2]),
        )
        self.swin = TimmSwinModel(config, add_pooling_layer=False, add_norm=False, before_merging=True)
        for layer in self.swin.modules():
            if isinstance(layer, SwinLayer):
                layer.shrinks = not always_partition
        self.widths = [width * 2**i for i in range(4)]

    def forward(self, pixel_values: Tensor) -> list[Tensor]:
        """(batch, channels, height, width) to the maps (batch, width, rows, columns) after each stage."""
        return list(self.swin(pixel_values, output_hidden_states=True).reshaped_hidden_states[1:])
