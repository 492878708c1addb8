"""RWKV-4 (https://arxiv.org/abs/2305.13048)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="rwkv",
    config="zoo_text.rwkv.config:RwkvConfig",
    models=classes(
        "zoo_text.rwkv.model",
        AutoModel="RwkvModel",
        AutoModelForPreTraining="RwkvForCausalLM",
        AutoModelForCausalLM="RwkvForCausalLM",
        AutoModelWithLMHead="RwkvForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
