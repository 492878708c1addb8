"""XGLM (https://arxiv.org/abs/2112.10668)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xglm",
    config="zoo_text.xglm.config:XGLMConfig",
    models=classes(
        "zoo_text.xglm.model",
        AutoModel="XGLMModel",
        AutoModelForCausalLM="XGLMForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XGLMTokenizer",
)
