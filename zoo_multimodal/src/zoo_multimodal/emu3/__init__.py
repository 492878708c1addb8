"""Emu3 (https://arxiv.org/abs/2409.18869)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="emu3",
    config="zoo_multimodal.emu3.config:Emu3Config",
    models=classes(
        "zoo_multimodal.emu3.model",
        AutoModel="Emu3Model",
        AutoModelForTextEncoding="Emu3TextModel",
        AutoModelForCausalLM="Emu3ForCausalLM",
        AutoModelForImageTextToText="Emu3ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
    image_processor="zoo_vision.processing.emu3:Emu3ImageProcessor",
    processor="zoo_multimodal.emu3.processor:Emu3Processor",
)

TEXT = Architecture(
    model_type="emu3_text_model",
    config="zoo_multimodal.emu3.config:Emu3TextConfig",
    models=classes(
        "zoo_multimodal.emu3.model",
        AutoModel="Emu3TextModel",
        AutoModelForTextEncoding="Emu3TextModel",
        AutoModelForCausalLM="Emu3ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
