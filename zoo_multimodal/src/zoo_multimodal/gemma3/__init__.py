"""Gemma 3 (https://arxiv.org/abs/2503.19786)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma3",
    config="zoo_multimodal.gemma3.config:Gemma3Config",
    models=classes(
        "zoo_multimodal.gemma3.model",
        AutoModel="Gemma3Model",
        AutoModelForCausalLM="Gemma3ForConditionalGeneration",
        AutoModelForImageTextToText="Gemma3ForConditionalGeneration",
        AutoModelForPreTraining="Gemma3ForConditionalGeneration",
        AutoModelForSequenceClassification="Gemma3ForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
    image_processor="zoo_vision.processing.tiles_canvas:Gemma3ImageProcessor",
    processor="zoo_multimodal.gemma3.processor:Gemma3Processor",
)
