"""ColPali (https://arxiv.org/abs/2407.01449)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="colpali",
    config="zoo_multimodal.colpali.config:ColPaliConfig",
    models=classes("zoo_multimodal.colpali.model", AutoModelForPreTraining="ColPaliForRetrieval"),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.classification:SiglipImageProcessor",
    processor="zoo_multimodal.colpali.processor:ColPaliProcessor",
)
