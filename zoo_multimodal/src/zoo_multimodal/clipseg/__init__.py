"""CLIPSeg (https://arxiv.org/abs/2112.10003): segmentation of what a text or an image shows."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="clipseg",
    config="zoo_multimodal.clipseg.config:CLIPSegConfig",
    models=classes(
        "zoo_multimodal.clipseg.model",
        AutoModel=("CLIPSegModel", "CLIPSegForImageSegmentation"),
        AutoModelForZeroShotImageClassification="CLIPSegModel",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
    processor="zoo_multimodal.clipseg.processor:CLIPSegProcessor",
)

TEXT = Architecture(
    model_type="clipseg_text_model",
    config="zoo_multimodal.clipseg.config:CLIPSegTextConfig",
    models=classes("zoo_multimodal.clipseg.model", AutoModel="CLIPSegTextModel"),
)

VISION = Architecture(
    model_type="clipseg_vision_model",
    config="zoo_multimodal.clipseg.config:CLIPSegVisionConfig",
    models=classes("zoo_multimodal.clipseg.model", AutoModel="CLIPSegVisionModel"),
)
