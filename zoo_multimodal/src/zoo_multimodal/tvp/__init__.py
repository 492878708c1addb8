"""TVP (https://arxiv.org/abs/2303.04995)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="tvp",
    config="zoo_multimodal.tvp.config:TvpConfig",
    models=classes("zoo_multimodal.tvp.model", AutoModel="TvpModel"),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.clips:TvpImageProcessor",
    processor="zoo_multimodal.tvp.processor:TvpProcessor",
)
