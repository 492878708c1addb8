"""DiNAT: NAT whose neighbours lie apart in every other layer, so that cells see far."""

from __future__ import annotations

from zoo_vision.dinat.config import DinatConfig
from zoo_vision.nat.model import NatBackbone, NatForImageClassification, NatModel, NatPreTrainedModel


class DinatPreTrainedModel(NatPreTrainedModel):
    """What all DiNAT classes share."""

    config_class = DinatConfig
    base_model_prefix = "dinat"


class DinatModel(NatModel, DinatPreTrainedModel):
    """Embeddings, stages and a final norm; `pooler_output` is the mean over all cells."""


class DinatForImageClassification(NatForImageClassification, DinatPreTrainedModel):
    """DiNAT with a classifier on the mean over all cells."""

    base_class = DinatModel


class DinatBackbone(NatBackbone, DinatPreTrainedModel):
    """DiNAT that returns the normalised maps of some stages."""

    base_class = DinatModel
