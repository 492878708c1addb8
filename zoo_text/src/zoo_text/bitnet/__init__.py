"""BitNet b1.58 (https://arxiv.org/abs/2504.12285)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bitnet",
    config="zoo_text.bitnet.config:BitNetConfig",
    models=classes(
        "zoo_text.bitnet.model",
        AutoModel="BitNetModel",
        AutoModelForCausalLM="BitNetForCausalLM",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
