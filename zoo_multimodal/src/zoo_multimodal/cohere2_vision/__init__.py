"""Command A Vision (https://huggingface.co/CohereLabs/command-a-vision-07-2025)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="cohere2_vision",
    config="zoo_multimodal.cohere2_vision.config:Cohere2VisionConfig",
    models=classes(
        "zoo_multimodal.cohere2_vision.model",
        AutoModel="Cohere2VisionModel",
        AutoModelForImageTextToText="Cohere2VisionForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CohereTokenizer",
    image_processor="zoo_vision.processing.tiles_canvas:Cohere2VisionImageProcessorFast",
    processor="zoo_multimodal.cohere2_vision.processor:Cohere2VisionProcessor",
)
