"""Donut's image encoder: Swin without the final norm."""

from __future__ import annotations

from zoo_vision.donut.config import DonutSwinConfig
from zoo_vision.swin.model import SwinForImageClassification, SwinModel, SwinPreTrainedModel


class DonutSwinPreTrainedModel(SwinPreTrainedModel):
    """What all Donut encoder classes share."""

    config_class = DonutSwinConfig
    base_model_prefix = "donut"


class DonutSwinModel(SwinModel, DonutSwinPreTrainedModel):
    """Embeddings and stages; `pooler_output` is the mean over all cells."""

    def __init__(
        self, config: DonutSwinConfig, add_pooling_layer: bool = True, use_mask_token: bool = False
    ) -> None:
        super().__init__(config, add_pooling_layer, use_mask_token, add_norm=False)


class DonutSwinForImageClassification(SwinForImageClassification, DonutSwinPreTrainedModel):
    """The encoder with a classifier on the mean over all cells."""

    base_class = DonutSwinModel
