"""Speech2Text 2: a decoder for wav2vec 2.0 (https://arxiv.org/abs/2104.06678)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="speech_to_text_2",
    config="zoo_audio.speech_to_text_2.config:Speech2Text2Config",
    models=classes("zoo_audio.speech_to_text_2.model", AutoModelForCausalLM="Speech2Text2ForCausalLM"),
    tokenizer="zoo_audio.tokenizers.speech:Speech2Text2Tokenizer",
    processor="zoo_audio.speech_to_text_2.processor:Speech2Text2Processor",
)
