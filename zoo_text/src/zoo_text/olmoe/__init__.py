"""OLMoE (https://arxiv.org/abs/2409.02060)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="olmoe",
    config="zoo_text.olmoe.config:OlmoeConfig",
    models=classes(
        "zoo_text.olmoe.model",
        AutoModel="OlmoeModel",
        AutoModelForCausalLM="OlmoeForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
