"""InternVL (https://arxiv.org/abs/2504.10479)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="internvl",
    config="zoo_multimodal.internvl.config:InternVLConfig",
    models=classes(
        "zoo_multimodal.internvl.model",
        AutoModel="InternVLModel",
        AutoModelForImageTextToText="InternVLForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.tiles_canvas:GotOcr2ImageProcessor",
    video_processor="zoo_vision.processing.videos:InternVLVideoProcessor",
    processor="zoo_multimodal.internvl.processor:InternVLProcessor",
)
