"""ViP-LLaVA (https://arxiv.org/abs/2312.00784): LLaVA that understands marks drawn into the image."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vipllava",
    config="zoo_multimodal.vipllava.config:VipLlavaConfig",
    models=classes(
        "zoo_multimodal.vipllava.model",
        AutoModel="VipLlavaModel",
        AutoModelForImageTextToText="VipLlavaForConditionalGeneration",
        AutoModelForVision2Seq="VipLlavaForConditionalGeneration",
        AutoModelForPreTraining="VipLlavaForConditionalGeneration",
        AutoModelForCausalLM="VipLlavaForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.llava.processor:LlavaProcessor",
)
