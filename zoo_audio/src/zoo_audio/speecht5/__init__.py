"""SpeechT5 (https://arxiv.org/abs/2110.07205), and the vocoder that its spectrograms are made for."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="speecht5",
    config="zoo_audio.speecht5.config:SpeechT5Config",
    models=classes(
        "zoo_audio.speecht5.model",
        AutoModel="SpeechT5Model",
        AutoModelForSpeechSeq2Seq="SpeechT5ForSpeechToText",
        AutoModelForTextToSpectrogram="SpeechT5ForTextToSpeech",
    ),
    tokenizer="zoo_audio.tokenizers.speech:SpeechT5Tokenizer",
    feature_extractor="zoo_audio.features.waveform:SpeechT5FeatureExtractor",
    processor="zoo_audio.speecht5.processor:SpeechT5Processor",
)

VOCODER = Architecture(
    model_type="hifigan",
    config="zoo_audio.speecht5.config:SpeechT5HifiGanConfig",
    models=classes("zoo_audio.speecht5.vocoder", AutoModel="SpeechT5HifiGan"),
)
