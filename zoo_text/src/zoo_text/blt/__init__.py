"""Byte Latent Transformer (https://arxiv.org/abs/2412.09871)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="blt",
    config="zoo_text.blt.config:BltConfig",
    models=classes("zoo_text.blt.model", AutoModel="BltModel", AutoModelForCausalLM="BltForCausalLM"),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
