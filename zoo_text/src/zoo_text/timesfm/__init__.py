"""TimesFM 2 (Das et al., 2024, https://arxiv.org/abs/2310.10688)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="timesfm",
    config="zoo_text.timesfm.config:TimesFmConfig",
    models=classes(
        "zoo_text.timesfm.model",
        AutoModel="TimesFmModel",
        AutoModelForTimeSeriesPrediction="TimesFmModelForPrediction",
    ),
)
