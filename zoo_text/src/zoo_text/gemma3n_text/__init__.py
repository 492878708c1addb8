"""the language model of Gemma 3n (https://ai.google.dev/gemma/docs/gemma-3n)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma3n_text",
    config="zoo_text.gemma3n_text.config:Gemma3nTextConfig",
    models=classes(
        "zoo_text.gemma3n_text.model",
        AutoModel="Gemma3nTextModel",
        AutoModelForCausalLM="Gemma3nForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
)
