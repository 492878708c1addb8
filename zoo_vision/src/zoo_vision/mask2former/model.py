"""Mask2Former: queries that look only where their mask of the layer before lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import stacked_attention
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, unrecorded, wants
from zoo_vision.detr.model import PlacedAttention
from zoo_vision.losses.masks import PointMaskSetLoss, Prediction
from zoo_vision.mask2former.config import Mask2FormerConfig
from zoo_vision.mask2former.pixel_decoder import DeformablePixelDecoder, map_places
from zoo_vision.maskformer.head import (
    ForQuerySegmentation,
    MaskHead,
    QueryMapsOutput,
    QuerySegmenterOutput,
)
from zoo_vision.nn.upernet import stretch


class Mask2FormerModelOutput(QueryMapsOutput):
    """Maps, states, and `masks_queries_logits`, one (batch, queries, h, w) for each prediction.

    As released, the other states of the queries are (queries, batch, hidden): those before each layer and
    after the last, and, normalised, those that each prediction is made of.
    """

    transformer_decoder_intermediate_states: tuple[Tensor, ...] | None = None
    masks_queries_logits: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class Mask2FormerForUniversalSegmentationOutput(QuerySegmenterOutput):
    """As QuerySegmenterOutput."""


class Mask2FormerPreTrainedModel(PreTrainedModel):
    """What all Mask2Former classes share."""

    config_class: ClassVar[type[PretrainedConfig]] = Mask2FormerConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, DeformablePixelDecoder):
            nn.init.zeros_(module.level_embed)


class MaskedLayer(nn.Module):
    """Attention to the pixels of each query's mask, then among queries, then a feed-forward block."""

    order = ("cross_attn", "self_attn")
    hub_names: HubNames = {
        "self_attn.o_proj": "self_attn.out_proj",
        **stacked_attention("cross_attn"),
        "mlp.fc1": "fc1",
        "mlp.fc2": "fc2",
    }

    def __init__(self, config: PretrainedConfig, act: str, *, dropout: float = 0.0) -> None:
        super().__init__()
        size, heads = config.hidden_dim, config.num_attention_heads
        self.pre_norm = config.pre_norm
        self.cross_attn = PlacedAttention(size, heads, dropout=dropout, cross=True)
        self.self_attn = PlacedAttention(size, heads, dropout=dropout)
        self.mlp = MLP(size, config.dim_feedforward, act, activation_dropout=dropout)
        self.cross_attn_layer_norm, self.self_attn_layer_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.final_layer_norm = nn.LayerNorm(size)
        self.dropout = Dropout(dropout)

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, queries: Tensor, places: Tensor
    ) -> Tensor:
        """(batch, queries, hidden) to the same; `queries` and `places` are positions, of both sides."""
        for name in self.order:
            attend = partial(getattr(self, name), context=context, places=queries, source_places=places)
            hidden = self._add(hidden, getattr(self, f"{name}_layer_norm"), attend)
        return self._add(hidden, self.final_layer_norm, self.mlp)

    def _add(self, hidden: Tensor, norm: nn.Module, block: Callable[[Tensor], Tensor]) -> Tensor:
        if self.pre_norm:
            return hidden + self.dropout(block(norm(hidden)))
        found: Tensor = norm(hidden + self.dropout(block(hidden)))
        return found


class MaskedQueryDecoder(nn.Module):
    """Queries that look at one of three maps after the other, the coarsest first, inside of their masks."""

    layer_class = MaskedLayer
    hub_names: HubNames = {
        "layers": "decoder.layers",
        "norm": "decoder.layernorm",
        "mask_embedder": "decoder.mask_predictor.mask_embedder",
    }

    def __init__(self, config: PretrainedConfig, act: str, *, dropout: float = 0.0, levels: int = 3) -> None:
        super().__init__()
        size, width = config.hidden_dim, config.feature_size
        projected = width != size or config.enforce_input_projection
        self.queries_embedder = nn.Embedding(config.num_queries, size)
        self.input_projections = nn.ModuleList(
            nn.Conv2d(width, size, 1) if projected else nn.Identity() for _ in range(levels)
        )
        self.level_embed = nn.Embedding(levels, size)
        self.layers = nn.ModuleList(
            self.layer_class(config, act, dropout=dropout) for _ in range(config.decoder_layers - 1)
        )
        self.norm = nn.LayerNorm(size)
        self.mask_embedder = MaskHead(size, config.mask_feature_size)

    def forward(
        self, maps: Sequence[Tensor], fine: Tensor, start: Tensor
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """States (batch, queries, hidden) of all steps, normalised ones, and masks (batch, queries, h, w)."""
        sources = [project(x) for project, x in zip(self.input_projections, maps, strict=True)]
        places = [map_places(x) for x in sources]
        levels = self.level_embed.weight
        cells = [x.flatten(2).transpose(1, 2) + own for x, own in zip(sources, levels, strict=True)]
        queries = self.queries_embedder.weight.expand(len(fine), -1, -1)
        states, normed = [start], [self.norm(start)]
        masks = [self.masks(normed[0], fine)]
        for i, layer in enumerate(self.layers):
            level = i % len(cells)
            context = AttentionContext(
                states[-1],
                encoder_states=cells[level],
                encoder_padding=visible_cells(masks[-1], maps[level]),
            )
            states.append(layer(states[-1], context, queries=queries, places=places[level]))
            normed.append(self.norm(states[-1]))
            masks.append(self.masks(normed[-1], fine))
        return states, normed, masks

    def masks(self, normed: Tensor, fine: Tensor) -> Tensor:
        """Logits (batch, queries, h, w): products of queries with pixels."""
        return torch.einsum("bqc,bchw->bqhw", self.mask_embedder(normed), fine)


def visible_cells(masks: Tensor, like: Tensor) -> Tensor:
    """(batch, queries, cells) bool: the cells of a map inside of each mask; all where it is empty."""
    inside = (stretch(masks.detach(), like).sigmoid() >= 0.5).flatten(2)
    return inside | ~inside.any(-1, keepdim=True)


class LearnedQueryDecoder(MaskedQueryDecoder):
    """Queries whose first states are learned."""

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config, config.activation_function, dropout=config.dropout)
        self.queries_features = nn.Embedding(config.num_queries, config.hidden_dim)

    def forward(  # type: ignore[override]
        self, maps: Sequence[Tensor], fine: Tensor
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        return super().forward(maps, fine, self.queries_features.weight.expand(len(fine), -1, -1))


class Mask2FormerModel(Mask2FormerPreTrainedModel):
    """Backbone, pixel decoder and query decoder."""

    hub_names: HubNames = {
        "encoder": "pixel_level_module.encoder",
        "pixel_decoder": "pixel_level_module.decoder",
        "query_decoder": "transformer_module",
    }

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config)
        self.encoder = build_backbone(config)
        self.pixel_decoder = DeformablePixelDecoder(self.encoder.channels, config)
        self.query_decoder = LearnedQueryDecoder(config)
        self.post_init()

    def forward(self, pixel_values: Tensor, pixel_mask: Tensor | None = None) -> Mask2FormerModelOutput:
        """Images (batch, channels, height, width) to maps, and to states and masks of the queries.

        Args:
            pixel_mask: taken for the sake of processors that make one; Mask2Former does not use it.
        """
        image = self.encoder(pixel_values, output_hidden_states=False, output_attentions=False)
        maps = image.feature_maps
        with unrecorded():
            fine, coarse = self.pixel_decoder(maps)
        states, normed, masks = self.query_decoder(coarse, fine)
        output = Mask2FormerModelOutput(
            encoder_last_hidden_state=maps[-1],
            pixel_decoder_last_hidden_state=fine,
            transformer_decoder_last_hidden_state=states[-1],
            masks_queries_logits=tuple(masks),
        )
        if wants(HIDDEN_STATES):
            output.encoder_hidden_states = maps
            output.pixel_decoder_hidden_states = tuple(coarse)
            output.transformer_decoder_hidden_states = tuple(x.transpose(0, 1) for x in states)
            output.transformer_decoder_intermediate_states = tuple(x.transpose(0, 1) for x in normed)
        return output


class Mask2FormerForUniversalSegmentation(ForQuerySegmentation, Mask2FormerPreTrainedModel):
    """Mask2Former with the class and the mask of each query."""

    output_class = Mask2FormerForUniversalSegmentationOutput

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config)
        self.model = Mask2FormerModel(config)
        self.class_predictor = nn.Linear(config.hidden_dim, config.num_labels + 1)
        self.criterion = PointMaskSetLoss(
            config.num_labels,
            self.loss_weights(config.class_weight),
            no_object_weight=config.no_object_weight,
            class_cost=config.class_weight,
            points=config.train_num_points,
            oversample=config.oversample_ratio,
            important=config.importance_sample_ratio,
        )
        self.post_init()

    def predictions(self, outputs: ModelOutput) -> list[Prediction]:
        states, masks = outputs.transformer_decoder_intermediate_states, outputs.masks_queries_logits
        found = [
            {"class_queries_logits": self.class_predictor(x.transpose(0, 1)), "masks_queries_logits": mask}
            for x, mask in zip(states, masks, strict=True)
        ]
        return found if self.config.use_auxiliary_loss else found[-1:]
