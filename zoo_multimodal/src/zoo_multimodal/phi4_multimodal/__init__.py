"""Phi-4-multimodal (https://arxiv.org/abs/2503.01743)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="phi4_multimodal",
    config="zoo_multimodal.phi4_multimodal.config:Phi4MultimodalConfig",
    models=classes(
        "zoo_multimodal.phi4_multimodal.model",
        AutoModel="Phi4MultimodalModel",
        AutoModelForCausalLM="Phi4MultimodalForCausalLM",
    ),
    image_processor="zoo_vision.processing.tiles_masked:Phi4MultimodalImageProcessorFast",
    feature_extractor="zoo_audio.features.frames:Phi4MultimodalFeatureExtractor",
    processor="zoo_multimodal.phi4_multimodal.processor:Phi4MultimodalProcessor",
)
