"""Table Transformer: DETR whose norms stand before its blocks."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.nn.masks import AttentionContext
from zoo_vision.detr.model import (
    DetrDecoder,
    DetrEncoder,
    DetrForObjectDetection,
    DetrLayer,
    DetrModel,
    DetrPreTrainedModel,
)
from zoo_vision.table_transformer.config import TableTransformerConfig


class TableTransformerPreTrainedModel(DetrPreTrainedModel):
    """What all Table Transformer classes share."""

    config_class = TableTransformerConfig


class TableTransformerLayer(DetrLayer):
    """The blocks of DETR on normalised states."""

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        places: Tensor,
        source_places: Tensor | None = None,
    ) -> Tensor:
        attended = self.self_attn(self.self_attn_layer_norm(hidden), context, places=places)
        hidden = hidden + self.dropout(attended)
        if self.cross_attn is not None and self.cross_attn_layer_norm is not None:
            normed = self.cross_attn_layer_norm(hidden)
            attended = self.cross_attn(normed, context, places=places, source_places=source_places)
            hidden = hidden + self.dropout(attended)
        return hidden + self.dropout(self.mlp(self.final_layer_norm(hidden)))


class TableTransformerEncoder(DetrEncoder):
    """Layers and a final norm."""

    hub_names = {"norm": "layernorm"}
    layer_class = TableTransformerLayer

    def __init__(self, config: TableTransformerConfig) -> None:
        super().__init__(config)
        self.norm = nn.LayerNorm(config.d_model)


class TableTransformerDecoder(DetrDecoder):
    """Layers over the queries, and a final norm."""

    layer_class = TableTransformerLayer


class TableTransformerModel(DetrModel, TableTransformerPreTrainedModel):
    """Backbone, encoder and decoder."""

    encoder_class = TableTransformerEncoder
    decoder_class = TableTransformerDecoder


class TableTransformerForObjectDetection(DetrForObjectDetection, TableTransformerPreTrainedModel):
    """A class and a box for each query."""

    model_class = TableTransformerModel
