"""Informer: forecasts of long series with sparse attention (https://arxiv.org/abs/2012.07436)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="informer",
    config="zoo_text.informer.config:InformerConfig",
    models=classes(
        "zoo_text.informer.model",
        AutoModel="InformerModel",
        AutoModelForTimeSeriesPrediction="InformerForPrediction",
    ),
)
