"""Evolla, a language model that answers questions about proteins (https://doi.org/10.1101/2025.01.05.630192)."""

from dataclasses import replace

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="evolla",
    config="zoo_multimodal.evolla.config:EvollaConfig",
    models=classes(
        "zoo_multimodal.evolla.model",
        AutoModel="EvollaModel",
        AutoModelForPreTraining="EvollaForProteinText2Text",
        AutoModelForImageTextToText="EvollaForProteinText2Text",
    ),
    processor="zoo_multimodal.evolla.processor:EvollaProcessor",
)
AS_SAVED = replace(ARCHITECTURE, model_type="EvollaModel")  # what its checkpoints' config.json says
