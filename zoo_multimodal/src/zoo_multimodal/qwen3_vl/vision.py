"""The image tower of Qwen3-VL: Qwen2-VL's with learned positions, and features of several depths."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.stack import run_layers
from zoo_multimodal.packed import grid_places, stretched_positions
from zoo_multimodal.qwen2_vl.vision import Grid, MergerMLP, Qwen2VisionTransformerPretrainedModel, VisionLayer
from zoo_multimodal.qwen3_vl.config import Qwen3VLVisionConfig


class KeepingLayer(VisionLayer):
    """A layer whose result may be put aside."""

    hub_names = {**VisionLayer.hub_names, "mlp.fc1": "mlp.linear_fc1", "mlp.fc2": "mlp.linear_fc2"}

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, kept: list[Tensor] | None = None, **options: Any
    ) -> Tensor:
        """As the base's; the states are added to `kept`."""
        hidden = super().forward(hidden, context, **options)
        if kept is not None:
            kept.append(hidden[0])
        return hidden


class DepthMerger(nn.Module):
    """The states of `area` neighbouring patches as one feature, normalised before or after they join."""

    hub_names = {"mlp.fc1": "linear_fc1", "mlp.fc2": "linear_fc2"}

    def __init__(
        self, width: int, area: int, hidden_size: int, norm: NormFactory, *, norm_joined: bool
    ) -> None:
        super().__init__()
        self.area, self.norm_joined = area, norm_joined
        self.norm = norm(width * area if norm_joined else width)
        self.mlp = MergerMLP(width * area, hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(patches, width) to (patches / area, hidden)."""
        if not self.norm_joined:
            hidden = self.norm(hidden)
        hidden = hidden.unflatten(0, (-1, self.area)).flatten(1)
        return self.mlp(self.norm(hidden) if self.norm_joined else hidden)


class Qwen3VLVisionModel(Qwen2VisionTransformerPretrainedModel):
    """Patches to features (patches / merge area, hidden), and the same of each kept layer."""

    config_class = Qwen3VLVisionConfig
    hub_names = {
        "layers": "blocks",
        "position_embedding": "pos_embed.weight",
        "deepstack": "deepstack_merger_list",
    }
    layer_class = KeepingLayer
    merger_class: ClassVar[type[DepthMerger]] = DepthMerger
    patch_bias = True

    def __init__(self, config: Qwen3VLVisionConfig) -> None:
        super().__init__(config)
        self.position_embedding = nn.Parameter(
            torch.zeros(config.num_position_embeddings, config.hidden_size)
        )
        area = config.spatial_merge_size**2
        self.deepstack = nn.ModuleList(
            self.merger_class(
                config.hidden_size, area, config.out_hidden_size, self.norm_of(config), norm_joined=True
            )
            for _ in config.deepstack_visual_indexes
        )
        self.post_init()

    def width_of(self, config: Qwen3VLVisionConfig) -> int:
        return config.hidden_size

    def make_mlp(self, config: Qwen3VLVisionConfig) -> nn.Module:
        return MLP(config.hidden_size, config.intermediate_size, config.hidden_act)

    def make_merger(self, config: Qwen3VLVisionConfig) -> nn.Module:
        area, norm = config.spatial_merge_size**2, partial(nn.LayerNorm, eps=1e-6)
        return self.merger_class(config.hidden_size, area, config.out_hidden_size, norm, norm_joined=False)

    def positions(self, grid: Grid) -> Tensor:
        """(patches, hidden): the trained square stretched to each grid, in the processor's order."""
        return stretched_positions(
            self.position_embedding, grid, self.spatial_merge_size, mode="bilinear", align_corners=True
        )

    def run(self, hidden: Tensor, grid: Grid) -> tuple[Tensor, list[Tensor]]:  # type: ignore[override]
        hidden = (hidden + self.positions(grid))[None]
        kept: list[Tensor] = []
        chosen = [
            kept if i in self.config.deepstack_visual_indexes else None for i in range(self.config.depth)
        ]
        hidden = run_layers(
            self.layers,
            hidden,
            AttentionContext(hidden),
            rotary=self.rotary(grid_places(grid, self.spatial_merge_size, hidden.device)),
            lengths=[rows * columns for time, rows, columns in grid for _ in range(time)],
            per_layer={"kept": chosen},
        )
        deep = [merger(states) for merger, states in zip(self.deepstack, kept, strict=True)]
        return self.merger(hidden[0]), deep
