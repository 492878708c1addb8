"""Falcon Mamba (https://arxiv.org/abs/2410.05355)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="falcon_mamba",
    config="zoo_text.falcon_mamba.config:FalconMambaConfig",
    models=classes(
        "zoo_text.falcon_mamba.model",
        AutoModel="FalconMambaModel",
        AutoModelForPreTraining="FalconMambaForCausalLM",
        AutoModelForCausalLM="FalconMambaForCausalLM",
        AutoModelWithLMHead="FalconMambaForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
