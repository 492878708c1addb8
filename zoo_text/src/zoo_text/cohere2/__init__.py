"""Command R7B (Cohere 2)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="cohere2",
    config="zoo_text.cohere2.config:Cohere2Config",
    models=classes(
        "zoo_text.cohere2.model",
        AutoModel="Cohere2Model",
        AutoModelForCausalLM="Cohere2ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CohereTokenizer",
)
