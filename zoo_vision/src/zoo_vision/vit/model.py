"""ViT: a pre-norm encoder over patches and a class token."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT, VIT_LAYER
from zoo_core.heads.image import ForImageClassification, ForMaskedImageModeling
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.stack import run_layers
from zoo_vision.vit.config import ViTConfig


class ViTPreTrainedModel(PreTrainedModel):
    """What all ViT classes share."""

    config_class = ViTConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, ViTEmbeddings):
            std = self.config.initializer_range
            nn.init.trunc_normal_(module.position_embeddings, std=std)
            for token in module.special_tokens():
                nn.init.trunc_normal_(token, std=std)
            if module.mask_token is not None:
                nn.init.zeros_(module.mask_token)


class ViTEmbeddings(nn.Module):
    """A class token and patches, with learned positions; masked patches become `mask_token`."""

    mask_token: nn.Parameter | None

    def __init__(self, config: ViTConfig, *, use_mask_token: bool = False) -> None:
        super().__init__()
        size = config.hidden_size
        self.mask_token = nn.Parameter(torch.empty(1, 1, size)) if use_mask_token else None
        self.patch_embeddings = self.make_patches(config)
        self.make_special_tokens(size)
        rows = len(self.special_tokens()) + self.patch_embeddings.num_patches
        self.position_embeddings = nn.Parameter(torch.empty(1, rows, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def make_patches(self, config: ViTConfig) -> PatchEmbedding:
        """What makes patches of the image."""
        return PatchEmbedding(config.image_size, config.patch_size, config.num_channels, config.hidden_size)

    def make_special_tokens(self, size: int) -> None:
        """Create what `special_tokens` lists."""
        self.cls_token = nn.Parameter(torch.empty(1, 1, size))

    def special_tokens(self) -> list[nn.Parameter]:
        """(1, 1, hidden) each: what stands before the patches."""
        return [self.cls_token]

    def forward(
        self, pixel_values: Tensor, *, bool_masked_pos: Tensor | None = None, interpolate: bool = False
    ) -> Tensor:
        """(batch, channels, height, width) to (batch, 1 + patches, hidden)."""
        hidden = self.patch_embeddings(pixel_values, any_size=interpolate)
        if bool_masked_pos is not None:
            if self.mask_token is None:
                raise ValueError("bool_masked_pos needs a model built with use_mask_token=True")
            hidden = torch.where(bool_masked_pos[..., None].bool(), self.mask_token.to(hidden.dtype), hidden)
        special = self.special_tokens()
        hidden = torch.cat((*(token.expand(len(hidden), -1, -1) for token in special), hidden), dim=1)
        positions = self.position_embeddings
        if interpolate:
            rows, columns = self.patch_embeddings.patch_size
            new_grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
            positions = interpolate_positions(
                positions, self.patch_embeddings.grid, new_grid, prefix=len(special)
            )
        return self.dropout(hidden + positions)


class ViTLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = VIT_LAYER

    def __init__(self, config: ViTConfig) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                bias=config.qkv_bias,
                out_bias=True,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class ViTPooler(nn.Module):
    """Dense layer and activation on the class token."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.pooler_output_size)
        self.act = activation(config.pooler_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.act(self.dense(hidden[:, 0]))


class ViTModel(ViTPreTrainedModel):
    """Embeddings, layers, a final norm, and unless switched off the pooler."""

    hub_names = VIT
    embeddings_class: ClassVar[type[ViTEmbeddings]] = ViTEmbeddings

    def __init__(
        self, config: ViTConfig, add_pooling_layer: bool = True, use_mask_token: bool = False
    ) -> None:
        super().__init__(config)
        self.embeddings = self.embeddings_class(config, use_mask_token=use_mask_token)
        self.layers = nn.ModuleList(ViTLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = ViTPooler(config) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        *,
        bool_masked_pos: Tensor | None = None,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, tokens, hidden) and pooled (batch, width).

        Args:
            bool_masked_pos: (batch, patches), patches to hide. head_mask: (heads,) or (layers, heads).
            interpolate_pos_encoding: take images of other sizes, with stretched positions.
        """
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden = self.embeddings(
            pixel_values, bool_masked_pos=bool_masked_pos, interpolate=bool(interpolate_pos_encoding)
        )
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask)
        hidden = self.norm(hidden)
        pooled = None if self.pooler is None else self.pooler(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class ViTForImageClassification(ForImageClassification, ViTPreTrainedModel):
    """ViT with a classifier on the class token."""

    base_class = ViTModel
    base_options = {"add_pooling_layer": False}


class ViTForMaskedImageModeling(ForMaskedImageModeling, ViTPreTrainedModel):
    """ViT that reconstructs masked patches."""

    base_class = ViTModel
    base_options: dict[str, Any] = {"add_pooling_layer": False, "use_mask_token": True}
