"""OLMo 2 (https://arxiv.org/abs/2501.00656)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="olmo2",
    config="zoo_text.olmo2.config:Olmo2Config",
    models=classes(
        "zoo_text.olmo2.model",
        AutoModel="Olmo2Model",
        AutoModelForCausalLM="Olmo2ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
