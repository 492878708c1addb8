"""Mamba2-2 (https://arxiv.org/abs/2405.21060)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mamba2",
    config="zoo_text.mamba2.config:Mamba2Config",
    models=classes(
        "zoo_text.mamba2.model",
        AutoModel="Mamba2Model",
        AutoModelForPreTraining="Mamba2ForCausalLM",
        AutoModelForCausalLM="Mamba2ForCausalLM",
        AutoModelWithLMHead="Mamba2ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
