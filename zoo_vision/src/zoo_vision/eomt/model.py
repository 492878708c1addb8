"""EoMT: a plain ViT, in whose last layers queries for objects stand among the patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.dinov2.model import Dinov2Layer
from zoo_vision.eomt.config import EomtConfig
from zoo_vision.losses.masks import PointMaskSetLoss, Prediction
from zoo_vision.nn.norm import ChannelNorm


class EomtForUniversalSegmentationOutput(ModelOutput):
    """`class_queries_logits` (batch, queries, labels + 1), `masks_queries_logits` (batch, queries, h, w).

    `patch_offsets` are those given.
    """

    loss: Tensor | None = None
    class_queries_logits: Tensor | None = None
    masks_queries_logits: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    patch_offsets: list[Tensor] | None = None


class EomtEmbeddings(nn.Module):
    """A class token and registers, which have no positions, and patches, which have."""

    def __init__(self, config: EomtConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.register_tokens = nn.Parameter(torch.zeros(1, config.num_register_tokens, size))
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        self.position_embeddings = nn.Embedding(self.patch_embeddings.num_patches, size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, 1 + registers + patches, hidden)."""
        hidden = self.patch_embeddings(pixel_values) + self.position_embeddings.weight
        special = (token.expand(len(hidden), -1, -1) for token in (self.cls_token, self.register_tokens))
        return self.dropout(torch.cat((*special, hidden), dim=1))


class EomtLayer(Dinov2Layer):
    """A layer of DINOv2 under names of its own."""

    hub_names: HubNames = Dinov2Layer.hub_names | {
        "self_attn": "attention",
        "self_attn.q_proj": "attention.q_proj",
        "self_attn.k_proj": "attention.k_proj",
        "self_attn.v_proj": "attention.v_proj",
        "self_attn.o_proj": "attention.out_proj",
    }


class EomtMaskHead(nn.Module):
    """Three dense layers, to what a query's mask is scored by."""

    def __init__(self, config: EomtConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.fc1, self.fc2, self.fc3 = (nn.Linear(size, size) for _ in range(3))
        self.act = activation(config.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.fc3(self.act(self.fc2(self.act(self.fc1(hidden)))))


class ScaleBlock(nn.Module):
    """A map of twice the size."""

    hub_names: HubNames = {"norm": "layernorm2d"}

    def __init__(self, config: EomtConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.conv1 = nn.ConvTranspose2d(size, size, 2, 2)
        self.act = activation(config.hidden_act)
        self.conv2 = nn.Conv2d(size, size, 3, padding=1, groups=size, bias=False)
        self.norm = ChannelNorm(size)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv2(self.act(self.conv1(x))))


class EomtForUniversalSegmentation(PreTrainedModel):
    """Patches, layers, and the class and the mask of each query."""

    config_class = EomtConfig
    base_model_prefix = "eomt"
    main_input_name = "pixel_values"
    hub_names: HubNames = {"upscale_block": "upscale_block.block", "norm": "layernorm"}
    attn_mask_probs: Tensor

    def __init__(self, config: EomtConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embeddings = EomtEmbeddings(config)
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        self.layers = nn.ModuleList(EomtLayer(cast(Any, config), rate) for rate in rates)
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.query = nn.Embedding(config.num_queries, size)
        self.upscale_block = nn.Sequential(*(ScaleBlock(config) for _ in range(config.num_upscale_blocks)))
        self.mask_head = EomtMaskHead(config)
        self.class_predictor = nn.Linear(size, config.num_labels + 1)
        self.criterion = PointMaskSetLoss(
            config.num_labels,
            {
                "loss_cross_entropy": config.class_weight,
                "loss_mask": config.mask_weight,
                "loss_dice": config.dice_weight,
            },
            no_object_weight=config.no_object_weight,
            class_cost=config.class_weight,
            points=config.train_num_points,
            oversample=config.oversample_ratio,
            important=config.importance_sample_ratio,
        )
        # the chance that a layer's queries look at the patches of their masks only; training lowers it to 0
        self.register_buffer("attn_mask_probs", torch.ones(config.num_blocks))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def forward(
        self,
        pixel_values: Tensor,
        mask_labels: Sequence[Tensor] | None = None,
        class_labels: Sequence[Tensor] | None = None,
        patch_offsets: list[Tensor] | None = None,
    ) -> EomtForUniversalSegmentationOutput:
        """Images (batch, channels, height, width) of the trained size to classes and masks of queries.

        Args:
            mask_labels: for each image (objects, height, width) of 0 and 1. class_labels: (objects,).
            patch_offsets: where each image lies in a larger one, for post-processing.
        """
        hidden = self.embeddings(pixel_values)
        first = len(self.layers) - self.config.num_blocks
        earlier: list[Prediction] = []
        padding: Tensor | None = None
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, hidden)
            if i == first:
                queries = self.query.weight.expand(len(hidden), -1, -1)
                hidden = torch.cat((queries.to(hidden), hidden), dim=1)
            if i >= first and (self.training or bool(self.attn_mask_probs[i - first] > 0)):
                earlier.append(self.predict(self.norm(hidden)))
                masks = earlier[-1]["masks_queries_logits"]
                padding = self.visible(masks, hidden.shape[1], self.attn_mask_probs[i - first])
            hidden = layer(hidden, AttentionContext(hidden, padding))
        hidden = self.norm(hidden)
        record(HIDDEN_STATES, hidden)
        found = self.predict(hidden)
        loss = None
        if mask_labels is not None and class_labels is not None:
            losses = self.criterion(found, mask_labels, class_labels, earlier)
            loss = torch.stack(list(losses.values())).sum()
        return EomtForUniversalSegmentationOutput(
            loss=loss, last_hidden_state=hidden, patch_offsets=patch_offsets, **found
        )

    def predict(self, hidden: Tensor) -> Prediction:
        """Classes and masks of the queries of normalised states."""
        queries = self.config.num_queries
        asked, patches = hidden[:, :queries], hidden[:, -self.embeddings.patch_embeddings.num_patches :]
        maps = self.upscale_block(patches.transpose(1, 2).unflatten(2, self.embeddings.patch_embeddings.grid))
        masks = torch.einsum("bqc,bchw->bqhw", self.mask_head(asked), maps)
        return {"masks_queries_logits": masks, "class_queries_logits": self.class_predictor(asked)}

    def visible(self, masks: Tensor, length: int, chance: Tensor) -> Tensor:
        """(batch, length, length) bool: queries see the patches of their masks, by `chance`, else all."""
        grid = self.embeddings.patch_embeddings.grid
        inside = F.interpolate(masks, size=grid, mode="bilinear", align_corners=False).flatten(2) > 0
        free = torch.rand(masks.shape[:2], device=masks.device) > chance
        allowed = torch.ones(len(masks), length, length, dtype=torch.bool, device=masks.device)
        allowed[:, : masks.shape[1], -inside.shape[2] :] = inside | free[..., None]
        return allowed
