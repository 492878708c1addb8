"""DeepSeek-VL (https://arxiv.org/abs/2403.05525)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deepseek_vl",
    config="zoo_multimodal.deepseek_vl.config:DeepseekVLConfig",
    models=classes(
        "zoo_multimodal.deepseek_vl.model",
        AutoModel="DeepseekVLModel",
        AutoModelForImageTextToText="DeepseekVLForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.prompted:DeepseekVLImageProcessor",
    processor="zoo_multimodal.deepseek_vl.processor:DeepseekVLProcessor",
)
