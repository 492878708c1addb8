"""Mistral Small 3.1 (https://mistral.ai/news/mistral-small-3-1)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mistral3",
    config="zoo_multimodal.mistral3.config:Mistral3Config",
    models=classes(
        "zoo_multimodal.mistral3.model",
        AutoModel="Mistral3Model",
        AutoModelForImageTextToText="Mistral3ForConditionalGeneration",
        AutoModelForVision2Seq="Mistral3ForConditionalGeneration",
        AutoModelForPreTraining="Mistral3ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles_canvas:PixtralImageProcessor",
    processor="zoo_multimodal.pixtral.processor:PixtralProcessor",
)
