"""X-MOD (https://arxiv.org/abs/2205.06266)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xmod",
    config="zoo_text.xmod.config:XmodConfig",
    models=classes(
        "zoo_text.xmod.model",
        AutoModel="XmodModel",
        AutoModelForPreTraining="XmodForMaskedLM",
        AutoModelForMaskedLM="XmodForMaskedLM",
        AutoModelWithLMHead="XmodForMaskedLM",
        AutoModelForCausalLM="XmodForCausalLM",
        AutoModelForSequenceClassification="XmodForSequenceClassification",
        AutoModelForMultipleChoice="XmodForMultipleChoice",
        AutoModelForTokenClassification="XmodForTokenClassification",
        AutoModelForQuestionAnswering="XmodForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XLMRobertaTokenizer",
)
