"""The language model of Llama 4 (https://ai.meta.com/blog/llama-4-multimodal-intelligence/)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="llama4_text",
    config="zoo_text.llama4_text.config:Llama4TextConfig",
    models=classes(
        "zoo_text.llama4_text.model",
        AutoModel="Llama4TextModel",
        AutoModelForCausalLM="Llama4ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
