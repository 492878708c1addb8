"""The image encoder of BLIP, BLIP-2 and InstructBLIP: a pre-norm ViT."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import CLIP_LAYER
from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.stack import run_layers
from zoo_multimodal.blip_2.config import Blip2VisionConfig


class BlipVisionLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = {
        **CLIP_LAYER,
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("self_attn.qkv"),
        "self_attn.o_proj": "self_attn.projection",
    }

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                bias=getattr(config, "qkv_bias", True),
                out_bias=True,
                dropout=config.attention_dropout,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
        )


class BlipVisionTower(PreTrainedModel):
    """Class token and patches, layers and a norm; `pooler_output` is the class token, normalised again."""

    main_input_name = "pixel_values"
    hub_names: Mapping[str, Any] = {
        "class_embedding": "embeddings.class_embedding",
        "patch_embedding.projection": "embeddings.patch_embedding",
        "position_embedding": "embeddings.position_embedding",
        "layers": "encoder.layers",
        "post_norm": "post_layernorm",
    }

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.class_embedding = nn.Parameter(torch.empty(1, 1, size))
        self.patch_embedding = PatchEmbedding(
            config.image_size, config.patch_size, getattr(config, "num_channels", 3), size
        )
        self.position_embedding = nn.Parameter(torch.empty(1, self.patch_embedding.num_patches + 1, size))
        self.layers = nn.ModuleList(BlipVisionLayer(config) for _ in range(config.num_hidden_layers))
        self.post_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            for table in (self.class_embedding, self.position_embedding):
                nn.init.trunc_normal_(table, std=self.config.initializer_range)

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = False
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden), pooled (batch, hidden)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        patches = self.patch_embedding(pixel_values, any_size=interpolate_pos_encoding)
        hidden = torch.cat((self.class_embedding.expand(len(patches), -1, -1), patches), dim=1)
        positions = self.position_embedding
        if interpolate_pos_encoding:
            size = self.config.patch_size
            grid = (pixel_values.shape[-2] // size, pixel_values.shape[-1] // size)
            positions = interpolate_positions(positions, self.patch_embedding.grid, grid)
        hidden = hidden + positions
        hidden = self.post_norm(run_layers(self.layers, hidden, AttentionContext(hidden)))
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden, pooler_output=self.post_norm(hidden[:, 0])
        )

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


class Blip2VisionModel(BlipVisionTower):
    """The image encoder of BLIP-2."""

    config_class = Blip2VisionConfig
    base_model_prefix = "blip"
