"""BioGPT (https://arxiv.org/abs/2210.10341)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="biogpt",
    config="zoo_text.biogpt.config:BioGptConfig",
    models=classes(
        "zoo_text.biogpt.model",
        AutoModel="BioGptModel",
        AutoModelForCausalLM="BioGptForCausalLM",
        AutoModelForSequenceClassification="BioGptForSequenceClassification",
        AutoModelForTokenClassification="BioGptForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.word_bpe:BioGptTokenizer",
)
