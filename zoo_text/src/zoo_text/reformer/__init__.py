"""Reformer (https://arxiv.org/abs/2001.04451)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="reformer",
    config="zoo_text.reformer.config:ReformerConfig",
    models=classes(
        "zoo_text.reformer.model",
        AutoModel="ReformerModel",
        AutoModelForTextEncoding="ReformerModel",
        AutoModelForCausalLM="ReformerModelWithLMHead",
        AutoModelWithLMHead="ReformerModelWithLMHead",
        AutoModelForMaskedLM="ReformerForMaskedLM",
        AutoModelForSequenceClassification="ReformerForSequenceClassification",
        AutoModelForQuestionAnswering="ReformerForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:ReformerTokenizer",
)
