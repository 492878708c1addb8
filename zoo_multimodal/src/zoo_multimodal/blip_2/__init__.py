"""BLIP-2 (https://arxiv.org/abs/2301.12597)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="blip-2",
    config="zoo_multimodal.blip_2.config:Blip2Config",
    models=classes(
        "zoo_multimodal.blip_2.model",
        # files of a Q-Former alone say blip-2 too; their architectures tell them apart
        AutoModel=("Blip2Model", "Blip2QFormerModel"),
        AutoModelForImageTextToText="Blip2ForConditionalGeneration",
        AutoModelForVision2Seq="Blip2ForConditionalGeneration",
        AutoModelForVisualQuestionAnswering="Blip2ForConditionalGeneration",
    )
    | classes(
        "zoo_multimodal.blip_2.retrieval",
        AutoModelForZeroShotImageClassification="Blip2ForImageTextRetrieval",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
    image_processor="zoo_vision.processing.classification:BlipImageProcessor",
    processor="zoo_multimodal.blip_2.processor:Blip2Processor",
)

QFORMER = Architecture(
    model_type="blip_2_qformer",
    config="zoo_multimodal.blip_2.config:Blip2QFormerConfig",
    models=classes("zoo_multimodal.blip_2.qformer", AutoModel="Blip2QFormerModel"),
)

VISION = Architecture(
    model_type="blip_2_vision_model",
    config="zoo_multimodal.blip_2.config:Blip2VisionConfig",
    models=classes("zoo_multimodal.blip_2.vision", AutoModel="Blip2VisionModel"),
)
