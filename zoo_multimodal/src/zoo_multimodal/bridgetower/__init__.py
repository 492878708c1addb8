"""BridgeTower (https://arxiv.org/abs/2206.08657): layers across, fed by every upper layer of two towers."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bridgetower",
    config="zoo_multimodal.bridgetower.config:BridgeTowerConfig",
    models=classes("zoo_multimodal.bridgetower.model", AutoModel="BridgeTowerModel"),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
    image_processor="zoo_vision.processing.padded:BridgeTowerImageProcessor",
    processor="zoo_multimodal.bridgetower.processor:BridgeTowerProcessor",
)
