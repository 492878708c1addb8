"""Mamba (https://arxiv.org/abs/2312.00752)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mamba",
    config="zoo_text.mamba.config:MambaConfig",
    models=classes(
        "zoo_text.mamba.model",
        AutoModel="MambaModel",
        AutoModelForPreTraining="MambaForCausalLM",
        AutoModelForCausalLM="MambaForCausalLM",
        AutoModelWithLMHead="MambaForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
