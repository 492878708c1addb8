"""ShieldGemma 2 (https://arxiv.org/abs/2504.01081)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="shieldgemma2",
    config="zoo_multimodal.shieldgemma2.config:ShieldGemma2Config",
    models={
        **classes(
            "zoo_multimodal.shieldgemma2.model",
            AutoModelForImageClassification="ShieldGemma2ForImageClassification",
        ),
        **classes(
            "zoo_multimodal.gemma3.model", AutoModelForImageTextToText="Gemma3ForConditionalGeneration"
        ),
    },
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
    image_processor="zoo_vision.processing.tiles_canvas:Gemma3ImageProcessor",
    processor="zoo_multimodal.shieldgemma2.processor:ShieldGemma2Processor",
)
