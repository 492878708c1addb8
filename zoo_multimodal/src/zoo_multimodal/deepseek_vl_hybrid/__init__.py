"""DeepSeek-VL 7B, whose images are seen at two resolutions (https://arxiv.org/abs/2403.05525)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deepseek_vl_hybrid",
    config="zoo_multimodal.deepseek_vl_hybrid.config:DeepseekVLHybridConfig",
    models=classes(
        "zoo_multimodal.deepseek_vl_hybrid.model",
        AutoModel="DeepseekVLHybridModel",
        AutoModelForImageTextToText="DeepseekVLHybridForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.prompted:DeepseekVLHybridImageProcessor",
    processor="zoo_multimodal.deepseek_vl_hybrid.processor:DeepseekVLHybridProcessor",
)
