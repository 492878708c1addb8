"""PatchTST (Nie et al., 2022, https://arxiv.org/abs/2211.14730)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="patchtst",
    config="zoo_text.patchtst.config:PatchTSTConfig",
    models=classes(
        "zoo_text.patchtst.model",
        AutoModel="PatchTSTModel",
        AutoModelForPreTraining="PatchTSTForPretraining",
        AutoModelForTimeSeriesPrediction="PatchTSTForPrediction",
        AutoModelForTimeSeriesRegression="PatchTSTForRegression",
        AutoModelForTimeSeriesClassification="PatchTSTForClassification",
    ),
)
