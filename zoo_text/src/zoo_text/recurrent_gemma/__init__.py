"""RecurrentGemma (https://arxiv.org/abs/2404.07839)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="recurrent_gemma",
    config="zoo_text.recurrent_gemma.config:RecurrentGemmaConfig",
    models=classes(
        "zoo_text.recurrent_gemma.model",
        AutoModel="RecurrentGemmaModel",
        AutoModelForCausalLM="RecurrentGemmaForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
)
