"""TVLT (https://arxiv.org/abs/2209.14156)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="tvlt",
    config="zoo_multimodal.tvlt.config:TvltConfig",
    models=classes(
        "zoo_multimodal.tvlt.model", AutoModel="TvltModel", AutoModelForPreTraining="TvltForPreTraining"
    ),
    image_processor="zoo_vision.processing.clips:TvltImageProcessor",
    feature_extractor="zoo_audio.features.log_mel:TvltFeatureExtractor",
    processor="zoo_multimodal.tvlt.processor:TvltProcessor",
)
