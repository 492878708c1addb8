"""CLVP, contrastive language-voice pretraining (https://arxiv.org/abs/2305.07243)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="clvp",
    config="zoo_audio.clvp.config:ClvpConfig",
    models=classes(
        "zoo_audio.clvp.model",
        AutoModel=("ClvpModelForConditionalGeneration", "ClvpForCausalLM", "ClvpEncoder", "ClvpModel"),
    ),
    tokenizer="zoo_audio.tokenizers.speech:ClvpTokenizer",
    feature_extractor="zoo_audio.features.log_mel:ClvpFeatureExtractor",
    processor="zoo_audio.clvp.processor:ClvpProcessor",
)

ENCODER = Architecture(
    model_type="clvp_encoder",
    config="zoo_audio.clvp.config:ClvpEncoderConfig",
    models=classes("zoo_audio.clvp.model", AutoModel="ClvpEncoder"),
)

DECODER = Architecture(
    model_type="clvp_decoder",
    config="zoo_audio.clvp.config:ClvpDecoderConfig",
    models=classes("zoo_audio.clvp.model", AutoModel=("ClvpModel", "ClvpForCausalLM")),
)
