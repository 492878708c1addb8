"""A speech encoder and a text decoder of any two types (https://arxiv.org/abs/2104.06678)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="speech-encoder-decoder",
    config="zoo_audio.speech_encoder_decoder.config:SpeechEncoderDecoderConfig",
    models=classes(
        "zoo_audio.speech_encoder_decoder.model", AutoModelForSpeechSeq2Seq="SpeechEncoderDecoderModel"
    ),
)
