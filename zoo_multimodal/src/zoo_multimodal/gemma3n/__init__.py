"""Gemma 3n (https://developers.googleblog.com/en/introducing-gemma-3n)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma3n",
    config="zoo_multimodal.gemma3n.config:Gemma3nConfig",
    models=classes(
        "zoo_multimodal.gemma3n.model",
        AutoModel="Gemma3nModel",
        AutoModelForCausalLM="Gemma3nForConditionalGeneration",
        AutoModelForImageTextToText="Gemma3nForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
    image_processor="zoo_vision.processing.classification:SiglipImageProcessor",
    feature_extractor="zoo_audio.features.frames:Gemma3nAudioFeatureExtractor",
    processor="zoo_multimodal.gemma3n.processor:Gemma3nProcessor",
)
