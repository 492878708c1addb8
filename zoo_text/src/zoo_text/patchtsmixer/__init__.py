"""PatchTSMixer (Ekambaram et al., 2023, https://arxiv.org/abs/2306.09364)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="patchtsmixer",
    config="zoo_text.patchtsmixer.config:PatchTSMixerConfig",
    models=classes(
        "zoo_text.patchtsmixer.model",
        AutoModel="PatchTSMixerModel",
        AutoModelForPreTraining="PatchTSMixerForPretraining",
        AutoModelForTimeSeriesPrediction="PatchTSMixerForPrediction",
        AutoModelForTimeSeriesRegression="PatchTSMixerForRegression",
        AutoModelForTimeSeriesClassification="PatchTSMixerForTimeSeriesClassification",
    ),
)
