"""Dense passage retrieval (https://arxiv.org/abs/2004.04906)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dpr",
    config="zoo_text.dpr.config:DPRConfig",
    models=classes("zoo_text.dpr.model", AutoModel=("DPRQuestionEncoder", "DPRContextEncoder", "DPRReader")),
    tokenizer="zoo_text.tokenizers.wordpiece:DPRQuestionEncoderTokenizer",
)
