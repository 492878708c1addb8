"""DINOv3: a ViT whose patches are placed by rotation, along both sides of the image."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP, GatedMLP
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_vision.dinov3_vit.config import DINOv3ViTConfig


class DINOv3ViTPreTrainedModel(PreTrainedModel):
    """What all DINOv3 classes share."""

    config_class = DINOv3ViTConfig
    base_model_prefix = "dinov3_vit"
    main_input_name = "pixel_values"


class DINOv3ViTEmbeddings(nn.Module):
    """A class token, registers and patches."""

    def __init__(self, config: DINOv3ViTConfig) -> None:
        super().__init__()
        size, patch = config.hidden_size, config.patch_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, size))
        self.register_tokens = nn.Parameter(torch.zeros(1, config.num_register_tokens, size))
        self.patch_embeddings = nn.Conv2d(config.num_channels, size, patch, patch)

    def forward(self, pixel_values: Tensor, *, bool_masked_pos: Tensor | None = None) -> Tensor:
        """(batch, channels, height, width) to (batch, 1 + registers + patches, hidden)."""
        weight = self.patch_embeddings.weight
        if pixel_values.shape[1] != weight.shape[1]:
            raise ValueError(f"pixel_values have {pixel_values.shape[1]} channels, not {weight.shape[1]}")
        hidden = self.patch_embeddings(pixel_values.to(weight.dtype)).flatten(2).transpose(1, 2)
        if bool_masked_pos is not None:
            hidden = torch.where(bool_masked_pos[..., None].bool(), self.mask_token.to(hidden.dtype), hidden)
        first = (self.cls_token, self.register_tokens)
        return torch.cat((*(token.expand(len(hidden), -1, -1) for token in first), hidden), dim=1)


class PatchRotary(nn.Module):
    """Rotations by the coordinates of patches, from -1 to 1 along each side.

    In training the coordinates of a batch are moved and stretched at random.
    """

    def __init__(self, config: DINOv3ViTConfig) -> None:
        super().__init__()
        self.config = config
        self.quarter = config.hidden_size // config.num_attention_heads // 4

    @torch.no_grad()
    def forward(self, grid: tuple[int, int], prefix: int, like: Tensor) -> RotaryTables:
        """Tables in the dtype of `like`, for `prefix` tokens that are not rotated and a `grid` of patches."""
        device = like.device
        sides = [(torch.arange(n, device=device, dtype=torch.float32) + 0.5) / n * 2 - 1 for n in grid]
        places = torch.cartesian_prod(*sides).view(-1, 2)
        if self.training:
            places = self._moved(places)
        powers = torch.arange(self.quarter, device=device, dtype=torch.float32) / self.quarter
        angles = 2 * math.pi * places[..., None] / self.config.rope_theta**powers
        angles = torch.cat((angles.new_zeros(prefix, 2 * self.quarter), angles.flatten(1))).repeat(1, 2)
        return RotaryTables(angles.cos().to(like.dtype)[None, None], angles.sin().to(like.dtype)[None, None])

    def _moved(self, places: Tensor) -> Tensor:
        config = self.config
        if config.pos_embed_shift is not None:
            places = places + (torch.rand(2).to(places) * 2 - 1) * config.pos_embed_shift
        for most, count in ((config.pos_embed_jitter, 2), (config.pos_embed_rescale, 1)):
            if most is not None:
                places = places * float(most) ** (torch.rand(count).to(places) * 2 - 1)
        return places


class DINOv3ViTLayer(ScaledPreNormLayer):
    """Self-attention and a feed-forward block, plain or gated."""

    hub_names: HubNames = {
        "self_attn": "attention",
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
        "layer_scale1.weight": "layer_scale1.lambda1",
        "layer_scale2.weight": "layer_scale2.lambda1",
        "mlp.fc1": "mlp.up_proj",
        "mlp.fc2": "mlp.down_proj",
    }

    def __init__(self, config: DINOv3ViTConfig, drop_path: float) -> None:
        size = config.hidden_size
        attention = Attention(
            size,
            config.num_attention_heads,
            bias=config.query_bias,
            key_bias=config.key_bias,
            out_bias=config.proj_bias,
            dropout=config.attention_dropout,
        )
        if config.value_bias != config.query_bias:
            attention.v_proj = Linear(size, size, bias=config.value_bias)
        mlp = GatedMLP if config.use_gated_mlp else MLP
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=attention,
            mlp=mlp(size, config.intermediate_size, config.hidden_act, bias=config.mlp_bias),
            layer_scale=config.layerscale_value,
            drop_path=drop_path,
        )


class DINOv3ViTModel(DINOv3ViTPreTrainedModel):
    """Embeddings, layers and a final norm; `pooler_output` is the class token's state."""

    hub_names: HubNames = {"layers": "layer"}

    def __init__(self, config: DINOv3ViTConfig) -> None:
        super().__init__(config)
        self.embeddings = DINOv3ViTEmbeddings(config)
        self.rotary = PatchRotary(config)
        # as released, every layer has the same rate
        self.layers = nn.ModuleList(
            DINOv3ViTLayer(config, config.drop_path_rate) for _ in range(config.num_hidden_layers)
        )
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        bool_masked_pos: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, 1 + registers + patches, hidden).

        `bool_masked_pos` (batch, patches) hides patches; `head_mask` is (heads,) or (layers, heads).
        """
        hidden = self.embeddings(pixel_values, bool_masked_pos=bool_masked_pos)
        patch, prefix = self.config.patch_size, 1 + self.config.num_register_tokens
        grid = (pixel_values.shape[-2] // patch, pixel_values.shape[-1] // patch)
        tables = self.rotary(grid, prefix, hidden)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask, rotary=tables)
        hidden = self.norm(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=hidden[:, 0])

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings
