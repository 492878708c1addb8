"""VITS (https://arxiv.org/abs/2106.06103), also of MMS in a thousand languages."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vits",
    config="zoo_audio.vits.config:VitsConfig",
    models=classes("zoo_audio.vits.model", AutoModel="VitsModel", AutoModelForTextToWaveform="VitsModel"),
    tokenizer="zoo_audio.tokenizers.speech:VitsTokenizer",
)
