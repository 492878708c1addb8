"""Mllama: Llama 3.2 Vision (https://arxiv.org/abs/2407.21783)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mllama",
    config="zoo_multimodal.mllama.config:MllamaConfig",
    models=classes(
        "zoo_multimodal.mllama.model",
        AutoModel="MllamaModel",
        AutoModelForTextEncoding="MllamaTextModel",
        AutoModelForCausalLM="MllamaForCausalLM",
        AutoModelForPreTraining="MllamaForConditionalGeneration",
        AutoModelForImageTextToText="MllamaForConditionalGeneration",
        AutoModelForVision2Seq="MllamaForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles_canvas:MllamaImageProcessor",
    processor="zoo_multimodal.mllama.processor:MllamaProcessor",
)

TEXT = Architecture(
    model_type="mllama_text_model",
    config="zoo_multimodal.mllama.config:MllamaTextConfig",
    models=classes(
        "zoo_multimodal.mllama.model", AutoModel="MllamaTextModel", AutoModelForCausalLM="MllamaForCausalLM"
    ),
)
