"""BERT for generation (https://arxiv.org/abs/1907.12461)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bert-generation",
    config="zoo_text.bert_generation.config:BertGenerationConfig",
    models=classes(
        "zoo_text.bert_generation.model",
        AutoModel="BertGenerationEncoder",
        AutoModelForCausalLM="BertGenerationDecoder",
    ),
    tokenizer="zoo_text.tokenizers.unigram:BertGenerationTokenizer",
)
