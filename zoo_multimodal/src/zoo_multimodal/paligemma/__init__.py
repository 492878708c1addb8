"""PaliGemma (https://arxiv.org/abs/2407.07726)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="paligemma",
    config="zoo_multimodal.paligemma.config:PaliGemmaConfig",
    models=classes(
        "zoo_multimodal.paligemma.model",
        AutoModel="PaliGemmaModel",
        AutoModelForImageTextToText="PaliGemmaForConditionalGeneration",
        AutoModelForVision2Seq="PaliGemmaForConditionalGeneration",
        AutoModelForPreTraining="PaliGemmaForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.classification:SiglipImageProcessor",
    processor="zoo_multimodal.paligemma.processor:PaliGemmaProcessor",
)
