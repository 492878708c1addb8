"""Bamba (https://huggingface.co/blog/bamba)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bamba",
    config="zoo_text.bamba.config:BambaConfig",
    models=classes("zoo_text.bamba.model", AutoModel="BambaModel", AutoModelForCausalLM="BambaForCausalLM"),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
