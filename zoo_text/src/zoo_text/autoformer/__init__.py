"""Autoformer: forecasts by series decomposition and auto-correlation (https://arxiv.org/abs/2106.13008)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="autoformer",
    config="zoo_text.autoformer.config:AutoformerConfig",
    models=classes(
        "zoo_text.autoformer.model",
        AutoModel="AutoformerModel",
        AutoModelForTimeSeriesPrediction="AutoformerForPrediction",
    ),
)
