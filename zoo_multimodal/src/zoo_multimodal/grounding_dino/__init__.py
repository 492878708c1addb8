"""Grounding DINO (https://arxiv.org/abs/2303.05499): detection of what phrases name."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="grounding-dino",
    config="zoo_multimodal.grounding_dino.config:GroundingDinoConfig",
    models=classes(
        "zoo_multimodal.grounding_dino.model",
        AutoModel="GroundingDinoModel",
        AutoModelForZeroShotObjectDetection="GroundingDinoForObjectDetection",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.detection:GroundingDinoImageProcessor",
    processor="zoo_multimodal.grounding_dino.processor:GroundingDinoProcessor",
)
