"""InstructBLIP (https://arxiv.org/abs/2305.06500)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="instructblip",
    config="zoo_multimodal.instructblip.config:InstructBlipConfig",
    models=classes(
        "zoo_multimodal.instructblip.model",
        AutoModel="InstructBlipModel",
        AutoModelForImageTextToText="InstructBlipForConditionalGeneration",
        AutoModelForVision2Seq="InstructBlipForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
    image_processor="zoo_vision.processing.classification:BlipImageProcessor",
    video_processor="zoo_vision.processing.videos:InstructBlipVideoVideoProcessor",
    processor="zoo_multimodal.instructblip.processor:InstructBlipProcessor",
)

QFORMER = Architecture(
    model_type="instructblip_qformer",
    config="zoo_multimodal.instructblip.config:InstructBlipQFormerConfig",
    models=classes("zoo_multimodal.instructblip.model", AutoModel="InstructBlipQFormerModel"),
)

VISION = Architecture(
    model_type="instructblip_vision_model",
    config="zoo_multimodal.instructblip.config:InstructBlipVisionConfig",
    models=classes("zoo_multimodal.instructblip.model", AutoModel="InstructBlipVisionModel"),
)
