"""The image tower of GLM-4.1V: Qwen2.5-VL's blocks with learned positions, and a convolution that merges."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Reshaped
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_multimodal.glm4v.config import Glm4vVisionConfig
from zoo_multimodal.packed import PackedAttention, stretched_positions
from zoo_multimodal.qwen2_vl.vision import Grid, Qwen2VisionTransformerPretrainedModel


class GatedMerger(nn.Module):
    """mlp(gelu(norm(proj(x)))) with a gated block."""

    hub_names = {"norm": "post_projection_norm", "mlp": ""}

    def __init__(self, config: Glm4vVisionConfig) -> None:
        super().__init__()
        width = config.out_hidden_size
        self.proj = nn.Linear(width, width, bias=False)
        self.norm = nn.LayerNorm(width)
        self.act = nn.GELU()
        self.mlp = GatedMLP(width, config.intermediate_size, config.hidden_act)

    def forward(self, features: Tensor) -> Tensor:
        return self.mlp(self.act(self.norm(self.proj(features))))


class JoiningMerger(nn.Module):
    """The normalised states of neighbouring patches as one feature, and `GatedMerger` on it."""

    def __init__(self, config: Glm4vVisionConfig, norm: NormFactory) -> None:
        super().__init__()
        side, width = config.spatial_merge_size, config.hidden_size
        shape = (config.out_hidden_size, width, side, side)
        self.hub_names = {
            "norm": "post_layernorm",
            "joined.weight": Reshaped("downsample.weight", shape),
            "joined.bias": "downsample.bias",
            "gated": "merger",
        }
        self.area = side**2
        self.norm = norm(width)
        self.joined = nn.Linear(width * self.area, config.out_hidden_size)
        self.gated = GatedMerger(config)

    def forward(self, hidden: Tensor) -> Tensor:
        """(patches, width) to (patches / area, hidden)."""
        patches = self.norm(hidden).unflatten(0, (-1, self.area)).transpose(1, 2)
        return self.gated(self.joined(patches.flatten(1)))


class Glm4vVisionModel(Qwen2VisionTransformerPretrainedModel):
    """Patches to features (patches / merge area, hidden)."""

    config_class = Glm4vVisionConfig
    hub_names = {
        "layers": "blocks",
        "position_embedding": "embeddings.position_embedding.weight",
        "norm": "post_conv_layernorm",
        "merger": "",
    }
    patch_bias = True

    def __init__(self, config: Glm4vVisionConfig) -> None:
        super().__init__(config)
        side = config.image_size // config.patch_size
        self.norm = self.norm_of(config)(config.hidden_size)
        self.position_embedding = nn.Parameter(torch.zeros(side**2, config.hidden_size))
        self.post_init()

    def width_of(self, config: Glm4vVisionConfig) -> int:
        return config.hidden_size

    def norm_of(self, config: Glm4vVisionConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.rms_norm_eps)

    def make_attention(self, config: Glm4vVisionConfig) -> PackedAttention:
        return PackedAttention(
            config.hidden_size, config.num_heads, bias=config.attention_bias, out_bias=False
        )

    def make_mlp(self, config: Glm4vVisionConfig) -> nn.Module:
        return GatedMLP(config.hidden_size, config.out_hidden_size, config.hidden_act)

    def make_merger(self, config: Glm4vVisionConfig) -> nn.Module:
        return JoiningMerger(config, self.norm_of(config))

    def positions(self, grid: Grid) -> Tensor:
        """(patches, hidden): the trained square stretched to each grid, in the processor's order."""
        return stretched_positions(
            self.position_embedding, grid, self.spatial_merge_size, mode="bicubic", align_corners=False
        )

    def run(self, hidden: Tensor, grid: Grid) -> Tensor:
        return super().run(self.norm(hidden) + self.positions(grid), grid)
