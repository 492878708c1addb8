"""Llama 4 (https://ai.meta.com/blog/llama-4-multimodal-intelligence/)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="llama4",
    config="zoo_multimodal.llama4.config:Llama4Config",
    models={
        **classes(
            "zoo_multimodal.llama4.model",
            AutoModel="Llama4ForConditionalGeneration",
            AutoModelForImageTextToText="Llama4ForConditionalGeneration",
        ),
        **classes(
            "zoo_text.llama4_text.model",
            AutoModelForTextEncoding="Llama4TextModel",
            AutoModelForCausalLM="Llama4ForCausalLM",
        ),
    },
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles_flexible:Llama4ImageProcessorFast",
    processor="zoo_multimodal.llama4.processor:Llama4Processor",
)

VISION = Architecture(
    model_type="llama4_vision_model",
    config="zoo_multimodal.llama4.config:Llama4VisionConfig",
    models=classes("zoo_multimodal.llama4.model", AutoModel="Llama4VisionModel"),
)
