"""GIT (https://arxiv.org/abs/2205.14100): captions of, and answers about, images and videos."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="git",
    config="zoo_multimodal.git.config:GitConfig",
    models=classes(
        "zoo_multimodal.git.model",
        AutoModel="GitModel",
        AutoModelForCausalLM="GitForCausalLM",
        AutoModelForImageTextToText="GitForCausalLM",
        AutoModelForVision2Seq="GitForCausalLM",
        AutoModelWithLMHead="GitForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.git.processor:GitProcessor",
)

VISION = Architecture(
    model_type="git_vision_model",
    config="zoo_multimodal.git.config:GitVisionConfig",
    models=classes("zoo_multimodal.git.model", AutoModel="GitVisionModel"),
)
