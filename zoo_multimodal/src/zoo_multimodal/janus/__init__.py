"""Janus (https://arxiv.org/abs/2410.13848) and Janus-Pro (https://arxiv.org/abs/2501.17811)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="janus",
    config="zoo_multimodal.janus.config:JanusConfig",
    models=classes(
        "zoo_multimodal.janus.model",
        AutoModel="JanusModel",
        AutoModelForImageTextToText="JanusForConditionalGeneration",
        AutoModelForPreTraining="JanusForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.prompted:JanusImageProcessor",
    processor="zoo_multimodal.janus.processor:JanusProcessor",
)

VQGAN = Architecture(
    model_type="janus_vqgan",
    config="zoo_multimodal.janus.config:JanusVQVAEConfig",
    models=classes("zoo_multimodal.janus.vq", AutoModel="JanusVQVAE"),
)
