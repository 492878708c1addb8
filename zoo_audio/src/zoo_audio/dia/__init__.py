"""Dia: dialogue to speech (https://github.com/nari-labs/dia)."""

from zoo_core.architecture import Architecture, classes

ENCODER = Architecture(
    model_type="dia_encoder",
    config="zoo_audio.dia.config:DiaEncoderConfig",
    models=classes("zoo_audio.dia.model", AutoModel="DiaEncoder"),
)

DECODER = Architecture(
    model_type="dia_decoder",
    config="zoo_audio.dia.config:DiaDecoderConfig",
    models=classes("zoo_audio.dia.model", AutoModel="DiaDecoder"),
)

ARCHITECTURE = Architecture(
    model_type="dia",
    config="zoo_audio.dia.config:DiaConfig",
    models=classes(
        "zoo_audio.dia.model",
        AutoModel="DiaModel",
        AutoModelForSpeechSeq2Seq="DiaForConditionalGeneration",
        AutoModelWithLMHead="DiaForConditionalGeneration",
    ),
    tokenizer="zoo_audio.tokenizers.speech:DiaTokenizer",
    feature_extractor="zoo_audio.features.waveform:DiaFeatureExtractor",
    processor="zoo_audio.dia.processor:DiaProcessor",
)
