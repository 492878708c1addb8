"""Qwen2.5-VL: Qwen2-VL with windows in the image tower, and positions that tell the time of a video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.stack import run_layers
from zoo_multimodal.packed import grid_places
from zoo_multimodal.qwen2_5_vl.config import Qwen2_5_VLConfig, Qwen2_5_VLVisionConfig
from zoo_multimodal.qwen2_vl.model import QwenVLForConditionalGeneration, QwenVLModel, QwenVLPreTrainedModel
from zoo_multimodal.qwen2_vl.positions import Grid
from zoo_multimodal.qwen2_vl.vision import PatchMerger, Qwen2VisionTransformerPretrainedModel


class Qwen2_5_VLPreTrainedModel(QwenVLPreTrainedModel):
    """What all Qwen2.5-VL classes share."""

    config_class = Qwen2_5_VLConfig


class Qwen2_5_VisionTransformerPretrainedModel(Qwen2VisionTransformerPretrainedModel):
    """Most layers see a window of the image, some all of it."""

    config_class = Qwen2_5_VLVisionConfig

    def width_of(self, config: Qwen2_5_VLVisionConfig) -> int:
        return config.hidden_size

    def norm_of(self, config: Qwen2_5_VLVisionConfig) -> NormFactory:
        return partial(RMSNorm, eps=1e-6)

    def make_mlp(self, config: Qwen2_5_VLVisionConfig) -> nn.Module:
        return GatedMLP(config.hidden_size, config.intermediate_size, config.hidden_act, bias=True)

    def make_merger(self, config: Qwen2_5_VLVisionConfig) -> nn.Module:
        area = config.spatial_merge_size**2
        return PatchMerger(config.hidden_size, area, config.out_hidden_size, self.norm_of(config))

    def run(self, hidden: Tensor, grid: Sequence[Sequence[int]]) -> Tensor:
        config, merge = self.config, self.spatial_merge_size
        cells = [(time, rows // merge, columns // merge) for time, rows, columns in grid]
        windows = window_numbers(cells, config.window_size // merge // config.patch_size).to(hidden.device)
        order = windows.argsort(stable=True)
        area = merge**2
        places = grid_places(grid, merge, hidden.device).unflatten(0, (-1, area))[order].flatten(0, 1)
        hidden = hidden.unflatten(0, (-1, area))[order].flatten(0, 1)[None]
        whole = [rows * columns for time, rows, columns in grid for _ in range(time)]
        parts = (windows.bincount() * area).tolist()
        lengths = [whole if i in config.fullatt_block_indexes else parts for i in range(config.depth)]
        hidden = run_layers(
            self.layers,
            hidden,
            AttentionContext(hidden),
            rotary=self.rotary(places),
            per_layer={"lengths": lengths},
        )
        return self.merger(hidden[0])[order.argsort()]


def window_numbers(cells: Sequence[Sequence[int]], side: int) -> Tensor:
    """For each cell, by (time, row, column), the number of its window of `side` x `side` cells of a frame."""
    numbers, first = [], 0
    for time, rows, columns in cells:
        down, across = -(-rows // side), -(-columns // side)
        window = torch.arange(rows)[:, None] // side * across + torch.arange(columns) // side
        frames = torch.arange(time)[:, None, None] * (down * across)
        numbers.append((first + frames + window).flatten())
        first += time * down * across
    return torch.cat(numbers)


class Qwen2_5_VLModel(Qwen2_5_VLPreTrainedModel, QwenVLModel):
    """The model without its head."""

    tower_class = Qwen2_5_VisionTransformerPretrainedModel

    def boxes(
        self, grid_thw: Tensor | None, *, second_per_grid_ts: Tensor | Sequence[float] | None = None
    ) -> Iterator[Grid]:
        """As the base's; frames are whole seconds apart, 1 where `second_per_grid_ts` (videos,) is not given.

        Parts of a second are dropped, as they are in what this model is compared with.
        """
        rate = self.config.vision_config.tokens_per_second
        for i, (frames, rows, columns) in enumerate(super().boxes(grid_thw)):
            seconds = 1 if second_per_grid_ts is None else int(second_per_grid_ts[i])
            yield [time * seconds * rate for time in frames], rows, columns

    def image_boxes(self, grid_thw: Tensor | None) -> Iterator[Grid]:
        for frames, rows, columns in super().boxes(grid_thw):
            yield [0] * len(frames), rows, columns


class Qwen2_5_VLForConditionalGeneration(QwenVLForConditionalGeneration, Qwen2_5_VLPreTrainedModel):
    """Qwen2.5-VL with the language model's head."""

    base_class = Qwen2_5_VLModel
