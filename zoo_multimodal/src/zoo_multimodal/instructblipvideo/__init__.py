"""InstructBLIP for videos: the queries look at each frame (https://arxiv.org/abs/2305.06500)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="instructblipvideo",
    config="zoo_multimodal.instructblipvideo.config:InstructBlipVideoConfig",
    models=classes(
        "zoo_multimodal.instructblipvideo.model",
        AutoModel="InstructBlipVideoModel",
        AutoModelForVision2Seq="InstructBlipVideoForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
    image_processor="zoo_vision.processing.clips:InstructBlipVideoImageProcessor",
    video_processor="zoo_vision.processing.videos:InstructBlipVideoVideoProcessor",
    processor="zoo_multimodal.instructblipvideo.processor:InstructBlipVideoProcessor",
)

QFORMER = Architecture(
    model_type="instructblipvideo_qformer",
    config="zoo_multimodal.instructblipvideo.config:InstructBlipVideoQFormerConfig",
    models=classes("zoo_multimodal.instructblipvideo.model", AutoModel="InstructBlipVideoQFormerModel"),
)

VISION = Architecture(
    model_type="instructblipvideo_vision_model",
    config="zoo_multimodal.instructblipvideo.config:InstructBlipVideoVisionConfig",
    models=classes("zoo_multimodal.instructblipvideo.model", AutoModel="InstructBlipVideoVisionModel"),
)
