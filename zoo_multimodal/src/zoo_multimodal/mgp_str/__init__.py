"""MGP-STR (https://arxiv.org/abs/2209.03592): words in pictures, as characters and as pieces."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mgp-str",
    config="zoo_multimodal.mgp_str.config:MgpstrConfig",
    models=classes("zoo_multimodal.mgp_str.model", AutoModel="MgpstrForSceneTextRecognition"),
    tokenizer="zoo_text.tokenizers.small:MgpstrTokenizer",
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
    processor="zoo_multimodal.mgp_str.processor:MgpstrProcessor",
)
