"""The image encoder of Mllama: all tiles of an image in one sequence."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.stack import run_layers
from zoo_multimodal.mllama.config import MllamaVisionConfig

MULTIPLE = 8
"""Patches of a tile are padded to a multiple of this."""


class VisionLayer(PreNormLayer):
    """Self-attention and a feed-forward block; gated ones count by a learned share."""

    def __init__(self, config: MllamaVisionConfig, *, gated: bool = False) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.norm_eps),
            self_attn=Attention(config.hidden_size, config.attention_heads, bias=False),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
        )
        self.gated = gated
        if gated:
            self.gate_attn = nn.Parameter(torch.full((1,), torch.pi / 4))
            self.gate_ffn = nn.Parameter(torch.full((1,), torch.pi / 4))

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Tensor) -> Tensor:
        if not self.gated:
            return super().forward(hidden, context, **attention)
        attended = self.self_attn(self.input_layernorm(hidden), context, **attention)
        hidden = hidden + self.gate_attn.tanh() * attended
        return hidden + self.gate_ffn.tanh() * self.mlp(self.post_attention_layernorm(hidden))


class TileEmbedding(nn.Module):
    """An embedding of each tile's place in the image, by a learned share."""

    def __init__(self, config: MllamaVisionConfig) -> None:
        super().__init__()
        self.tiles = config.max_num_tiles
        self.embedding = nn.Embedding(config.max_aspect_ratio_id + 1, self.tiles * config.hidden_size)
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, hidden: Tensor, aspect_ratio_ids: Tensor) -> Tensor:
        """(images, tiles, patches, hidden), with (images,) numbers of aspect ratios, to the same shape."""
        places = self.embedding(aspect_ratio_ids).unflatten(-1, (self.tiles, 1, -1))
        return hidden + places * self.gate.tanh()


class GatedPositions(nn.Module):
    """Positions of patches in a tile, and by a learned share in all tiles of the aspect ratio."""

    def __init__(self, config: MllamaVisionConfig, patches: int) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.zeros(1))
        self.embedding = nn.Parameter(torch.randn(patches, config.hidden_size) * config.hidden_size**-0.5)
        rows, self.tiles = config.max_aspect_ratio_id + 1, config.max_num_tiles
        self.tile_embedding = nn.Embedding(rows, self.tiles * patches * config.hidden_size)

    def forward(self, hidden: Tensor, aspect_ratio_ids: Tensor) -> Tensor:
        """As `TileEmbedding`."""
        share = self.gate.tanh()
        tiles = self.tile_embedding(aspect_ratio_ids).view(-1, self.tiles, *self.embedding.shape)
        return hidden + (1 - share) * self.embedding + share * tiles


class MllamaVisionModel(PreTrainedModel):
    """Layers over the patches of all tiles, a few gated ones behind, and states from between."""

    config_class = MllamaVisionConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    hub_names = {
        "patch_embedding.projection": "patch_embedding",
        "layers": "transformer.layers",
        "global_layers": "global_transformer.layers",
    }

    def __init__(self, config: MllamaVisionConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.patch_embedding = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size, bias=False
        )
        self.class_embedding = nn.Parameter(torch.randn(size) * size**-0.5)
        self.gated_positional_embedding = GatedPositions(config, self.patch_embedding.num_patches + 1)
        self.pre_tile_positional_embedding = TileEmbedding(config)
        self.post_tile_positional_embedding = TileEmbedding(config)
        self.layernorm_pre, self.layernorm_post = nn.LayerNorm(size), nn.LayerNorm(size)
        self.layers = nn.ModuleList(VisionLayer(config) for _ in range(config.num_hidden_layers))
        self.global_layers = nn.ModuleList(
            VisionLayer(config, gated=True) for _ in range(config.num_global_layers)
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding

    def forward(
        self, pixel_values: Tensor, aspect_ratio_ids: Tensor, aspect_ratio_mask: Tensor
    ) -> BaseModelOutput:
        """Images in tiles to states.

        Args:
            pixel_values: (batch, images, tiles, channels, height, width).
            aspect_ratio_ids: (batch, images), 0 for no image. aspect_ratio_mask: (batch, images, tiles), 0
                for tiles of padding.

        Returns:
            `last_hidden_state` (batch, images, tiles, 1 + patches, vision_output_dim).
        """
        if pixel_values.dim() != 6 or aspect_ratio_mask.shape != pixel_values.shape[:3]:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)} and aspect_ratio_mask "
                f"{tuple(aspect_ratio_mask.shape)}; they must be (batch, images, tiles, channels, height, "
                "width) and (batch, images, tiles), as the processor makes them"
            )
        batch, images, tiles = pixel_values.shape[:3]
        ratios = aspect_ratio_ids.reshape(-1)
        hidden = self.patch_embedding(pixel_values.flatten(0, 2)).unflatten(0, (-1, tiles))
        hidden = self.pre_tile_positional_embedding(hidden, ratios)
        first = self.class_embedding.expand(*hidden.shape[:2], 1, -1)
        hidden = torch.cat((first, hidden), dim=2)
        hidden = self.layernorm_pre(self.gated_positional_embedding(hidden, ratios))
        patches = hidden.shape[2]
        hidden = F.pad(hidden, (0, 0, 0, -patches % MULTIPLE))
        padded = hidden.shape[2]
        real = (aspect_ratio_mask.reshape(-1, tiles, 1) != 0).expand(-1, -1, padded).clone()
        real[:, :, patches:] = False
        real = real.flatten(1)
        allowed = (real[:, :, None] | real[:, None])[:, None]  # padding is hidden from padding alone
        hidden = hidden.flatten(1, 2)
        context = AttentionContext(hidden, allowed)
        context.blind_queries_average = True
        between = []
        for i, layer in enumerate(self.layers):
            hidden = layer(hidden, context)
            if i in self.config.intermediate_layers_indices:
                between.append(hidden)
        hidden = self.layernorm_post(hidden).unflatten(1, (tiles, padded))
        hidden = self.post_tile_positional_embedding(hidden, ratios).flatten(1, 2)
        hidden = run_layers(self.global_layers, hidden, context)
        states = torch.cat((hidden, torch.stack(between, dim=-1).flatten(-2)), dim=-1)
        states = states.view(batch, images, tiles, padded, -1)[:, :, :, :patches]
        return BaseModelOutput(last_hidden_state=states)
