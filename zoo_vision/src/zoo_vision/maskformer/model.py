"""MaskFormer: queries that each answer with a class and a mask of the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.recording import HIDDEN_STATES, wants
from zoo_vision.detr.model import DetrDecoder, sine_places
from zoo_vision.losses.masks import MaskSetLoss, Prediction
from zoo_vision.maskformer.config import STAGES, MaskFormerConfig
from zoo_vision.maskformer.head import (
    ForQuerySegmentation,
    MaskHead,
    QueryMapsOutput,
    QuerySegmenterOutput,
)
from zoo_vision.maskformer_swin.config import MaskFormerSwinConfig


class MaskFormerModelOutput(QueryMapsOutput):
    """`hidden_states` are those of the three parts in turn; `attentions` those among queries."""

    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MaskFormerForInstanceSegmentationOutput(QuerySegmenterOutput):
    """As QuerySegmenterOutput, and the hidden states of all parts."""

    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MaskFormerPreTrainedModel(PreTrainedModel):
    """What all MaskFormer classes share."""

    config_class = MaskFormerConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"


class ConvGroupNorm(nn.Sequential):
    """Convolution without bias, normalisation of 32 groups, and on request ReLU."""

    def __init__(self, channels: int, width: int, kernel: int = 3, *, act: bool = True) -> None:
        parts = [nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=False), nn.GroupNorm(32, width)]
        super().__init__(*parts, *([nn.ReLU()] if act else []))


class FPNLayer(nn.Module):
    """A map enlarged and added to a finer one."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.proj = ConvGroupNorm(channels, width, 1, act=False)
        self.block = ConvGroupNorm(width, width)

    def forward(self, x: Tensor, finer: Tensor) -> Tensor:
        finer = self.proj(finer)
        return self.block(F.interpolate(x, size=finer.shape[-2:], mode="nearest") + finer)


class PixelDecoder(nn.Module):
    """A feature pyramid (https://arxiv.org/abs/1612.03144) from the coarsest map to the finest."""

    hub_names: HubNames = {"stem": "fpn.stem", "layers": "fpn.layers"}

    def __init__(self, channels: Sequence[int], width: int, mask_width: int) -> None:
        super().__init__()
        *lower, top = channels
        self.stem = ConvGroupNorm(top, width)
        self.layers = nn.ModuleList(FPNLayer(c, width) for c in reversed(lower))
        self.mask_projection = nn.Conv2d(width, mask_width, 3, padding=1)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Maps, the finest first, to one of its size (batch, mask_width, h, w), and those between."""
        x, seen = self.stem(maps[-1]), []
        for layer, finer in zip(self.layers, reversed(maps[:-1]), strict=True):
            x = layer(x, finer)
            seen.append(x)
        return self.mask_projection(x), seen


class QueryDecoder(nn.Module):
    """DETR's decoder over the coarsest map."""

    def __init__(self, channels: int, config: PretrainedConfig) -> None:
        super().__init__()
        size = config.d_model
        self.queries_embedder = nn.Embedding(config.num_queries, size)
        self.input_projection = nn.Identity() if channels == size else nn.Conv2d(channels, size, 1)
        self.decoder = DetrDecoder(config)

    def forward(self, feature_map: Tensor) -> ModelOutput:
        """(batch, channels, h, w) to the decoder's output, states (batch, queries, hidden)."""
        x = self.input_projection(feature_map)
        places = sine_places(torch.ones_like(x[:, 0]), x.shape[1] // 2).to(x.dtype)
        queries = self.queries_embedder.weight.expand(len(x), -1, -1)
        source = x.flatten(2).transpose(1, 2)
        decoded: ModelOutput = self.decoder(torch.zeros_like(queries), source, None, queries, places)
        return decoded


def mask_backbone(config: PretrainedConfig) -> Any:
    """The backbone; a Swin is MaskFormer's own, which returns all its stages."""
    part = config.backbone_config
    if part is None or part.model_type != "swin":
        return build_backbone(config)
    fields = {
        k: v for k, v in part.to_dict().items() if k not in ("model_type", "out_indices", "stage_names")
    }
    own = MaskFormerSwinConfig.from_dict({**fields, "out_features": STAGES})
    return build_part(own, "AutoBackbone")


class MaskFormerModel(MaskFormerPreTrainedModel):
    """Backbone, pixel decoder and query decoder."""

    hub_names: HubNames = {
        "encoder": "pixel_level_module.encoder",
        "pixel_decoder": "pixel_level_module.decoder",
        "query_decoder": "transformer_module",
    }

    def __init__(self, config: MaskFormerConfig) -> None:
        super().__init__(config)
        self.encoder = mask_backbone(config)
        channels = self.encoder.channels
        self.pixel_decoder = PixelDecoder(channels, config.fpn_feature_size, config.mask_feature_size)
        self.query_decoder = QueryDecoder(channels[-1], config.decoder_config)
        self.post_init()

    def forward(self, pixel_values: Tensor, pixel_mask: Tensor | None = None) -> MaskFormerModelOutput:
        """Images (batch, channels, height, width) to maps and to the states of the queries.

        Args:
            pixel_mask: taken for the sake of processors that make one; MaskFormer does not use it.
        """
        image = self.encoder(pixel_values, output_hidden_states=False, output_attentions=False)
        maps = image.feature_maps
        fine, between = self.pixel_decoder(maps)
        decoded = self.query_decoder(maps[-1])
        output = MaskFormerModelOutput(
            encoder_last_hidden_state=maps[-1],
            pixel_decoder_last_hidden_state=fine,
            transformer_decoder_last_hidden_state=decoded.last_hidden_state,
            attentions=decoded.attentions,
        )
        if wants(HIDDEN_STATES):
            output.encoder_hidden_states = maps
            output.pixel_decoder_hidden_states = tuple(between)
            output.transformer_decoder_hidden_states = decoded.hidden_states
            output.hidden_states = (*maps, *between, *decoded.hidden_states)
        return output


class MaskFormerForInstanceSegmentation(ForQuerySegmentation, MaskFormerPreTrainedModel):
    """MaskFormer with the class and the mask of each query."""

    output_class = MaskFormerForInstanceSegmentationOutput

    def __init__(self, config: MaskFormerConfig) -> None:
        super().__init__(config)
        size = config.decoder_config.d_model
        self.model = MaskFormerModel(config)
        self.class_predictor = nn.Linear(size, config.num_labels + 1)
        self.mask_embedder = MaskHead(size, config.mask_feature_size)
        weights = self.loss_weights(config.cross_entropy_weight)
        self.criterion = MaskSetLoss(config.num_labels, weights, no_object_weight=config.no_object_weight)
        self.post_init()

    def predictions(self, outputs: ModelOutput) -> list[Prediction]:
        states = outputs.transformer_decoder_hidden_states if self.config.use_auxiliary_loss else ()
        last = outputs.transformer_decoder_last_hidden_state
        return [self._predict(x, outputs.pixel_decoder_last_hidden_state) for x in (*states[:-1], last)]

    def _predict(self, states: Tensor, fine: Tensor) -> Prediction:
        return {
            "class_queries_logits": self.class_predictor(states),
            "masks_queries_logits": torch.einsum("bqc,bchw->bqhw", self.mask_embedder(states), fine),
        }
