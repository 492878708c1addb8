"""A text encoder and a text decoder of any two types (https://arxiv.org/abs/1907.12461)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="encoder-decoder",
    config="zoo_text.encoder_decoder.config:EncoderDecoderConfig",
    models=classes(
        "zoo_text.encoder_decoder.model",
        AutoModelForSeq2SeqLM="EncoderDecoderModel",
        AutoModelWithLMHead="EncoderDecoderModel",
    ),
)
