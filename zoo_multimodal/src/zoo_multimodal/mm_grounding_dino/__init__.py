"""MM Grounding DINO (https://arxiv.org/abs/2401.02361): Grounding DINO, trained anew in the open."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mm-grounding-dino",
    config="zoo_multimodal.mm_grounding_dino.config:MMGroundingDinoConfig",
    models=classes(
        "zoo_multimodal.mm_grounding_dino.model",
        AutoModel="MMGroundingDinoModel",
        AutoModelForZeroShotObjectDetection="MMGroundingDinoForObjectDetection",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.detection:GroundingDinoImageProcessor",
    processor="zoo_multimodal.grounding_dino.processor:GroundingDinoProcessor",
)
