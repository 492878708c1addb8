"""MLCD: CLIP's image encoder with patches placed by rotation, along both sides of the image."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import CLIP_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_vision.mlcd.config import MLCDVisionConfig


class MLCDLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = CLIP_LAYER

    def __init__(self, config: MLCDVisionConfig) -> None:
        size = config.hidden_size
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(size, config.num_attention_heads, dropout=config.attention_dropout),
            mlp=MLP(size, config.intermediate_size, config.hidden_act),
        )


class MLCDVisionModel(PreTrainedModel):
    """A class token and patches, layers, and `pooler_output`, the normalised state of the class token."""

    config_class = MLCDVisionConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    ignored_names = ("*position_ids",)
    hub_names: HubNames = {
        "class_embedding": "vision_model.embeddings.class_embedding",
        "patches.projection": "vision_model.embeddings.patch_embedding",
        "class_position": "vision_model.class_pos_emb",
        "first_norm": "vision_model.pre_layrnorm",  # as it is spelt in files
        "layers": "vision_model.encoder.layers",
        "norm": "vision_model.post_layernorm",
    }

    def __init__(self, config: MLCDVisionConfig) -> None:
        super().__init__(config)
        size, eps = config.hidden_size, config.layer_norm_eps
        self.class_embedding = nn.Parameter(torch.zeros(size))
        self.patches = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size, bias=False
        )
        self.quarter = size // config.num_attention_heads // 4
        self.class_position = nn.Parameter(torch.zeros(1, 2 * self.quarter))
        self.first_norm = nn.LayerNorm(size, eps=eps)
        self.layers = nn.ModuleList(MLCDLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(size, eps=eps)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            factor = self.config.initializer_factor
            nn.init.normal_(self.class_embedding, std=self.config.hidden_size**-0.5 * factor)
            nn.init.normal_(self.class_position, std=(2 * self.quarter) ** -0.5 * factor)

    def rotary(self, grid: tuple[int, int], like: Tensor) -> RotaryTables:
        """Half of a head turns with the row, half with the column; the class token by learned angles."""
        rows, columns = (torch.arange(n, device=like.device, dtype=torch.float32) for n in grid)
        places = torch.cartesian_prod(rows, columns).view(-1, 2, 1)
        steps = torch.arange(self.quarter, device=like.device, dtype=torch.float32) / self.quarter
        angles = torch.cat((self.class_position.float(), (places / 10000.0**steps).flatten(1))).repeat(1, 2)
        return RotaryTables(angles.cos().to(like.dtype)[None, None], angles.sin().to(like.dtype)[None, None])

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden) and pooled."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        patch = self.config.patch_size
        grid = (pixel_values.shape[-2] // patch, pixel_values.shape[-1] // patch)
        hidden = self.patches(pixel_values, any_size=True)
        first = self.class_embedding.to(hidden.dtype).expand(len(hidden), 1, -1)
        hidden = self.first_norm(torch.cat((first, hidden), dim=1))
        rotary = self.rotary(grid, hidden)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), rotary=rotary)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=self.norm(hidden[:, 0]))

    def get_input_embeddings(self) -> nn.Module:
        return self.patches.projection
