"""UDOP (https://arxiv.org/abs/2212.02623)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="udop",
    config="zoo_multimodal.udop.config:UdopConfig",
    models=classes(
        "zoo_multimodal.udop.model",
        AutoModel=("UdopModel", "UdopEncoderModel"),
        AutoModelForImageTextToText="UdopForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.layout:UdopTokenizer",
    image_processor="zoo_vision.processing.documents:LayoutLMv3ImageProcessor",
    processor="zoo_multimodal.udop.processor:UdopProcessor",
)
