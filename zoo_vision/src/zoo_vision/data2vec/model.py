"""data2vec for images: a BEiT."""

from __future__ import annotations

from zoo_vision.beit.model import (
    BeitForImageClassification,
    BeitForSemanticSegmentation,
    BeitModel,
    BeitPreTrainedModel,
)
from zoo_vision.data2vec.config import Data2VecVisionConfig


class Data2VecVisionPreTrainedModel(BeitPreTrainedModel):
    """What all classes share."""

    config_class = Data2VecVisionConfig
    base_model_prefix = "data2vec_vision"


class Data2VecVisionModel(BeitModel, Data2VecVisionPreTrainedModel):
    """Embeddings and layers; a final norm, or, with mean pooling, one in the pooler."""

    def __init__(self, config: Data2VecVisionConfig, add_pooling_layer: bool = False) -> None:
        super().__init__(config, add_pooling_layer)


class Data2VecVisionForImageClassification(BeitForImageClassification, Data2VecVisionPreTrainedModel):
    """A classifier on the pooled state."""

    base_class = Data2VecVisionModel
    base_options = {"add_pooling_layer": True}


class Data2VecVisionForSemanticSegmentation(BeitForSemanticSegmentation, Data2VecVisionPreTrainedModel):
    """UPerNet on four of the layers, and in training an auxiliary head."""

    base_class = Data2VecVisionModel
