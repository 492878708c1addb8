"""ColQwen2 (https://arxiv.org/abs/2407.01449)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="colqwen2",
    config="zoo_multimodal.colqwen2.config:ColQwen2Config",
    models=classes("zoo_multimodal.colqwen2.model", AutoModelForPreTraining="ColQwen2ForRetrieval"),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.patches:Qwen2VLImageProcessor",
    processor="zoo_multimodal.colqwen2.processor:ColQwen2Processor",
)
