"""DiffLlama (https://arxiv.org/abs/2410.05258)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="diffllama",
    config="zoo_text.diffllama.config:DiffLlamaConfig",
    models=classes(
        "zoo_text.diffllama.model",
        AutoModel="DiffLlamaModel",
        AutoModelForCausalLM="DiffLlamaForCausalLM",
        AutoModelForSequenceClassification="DiffLlamaForSequenceClassification",
        AutoModelForQuestionAnswering="DiffLlamaForQuestionAnswering",
        AutoModelForTokenClassification="DiffLlamaForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
