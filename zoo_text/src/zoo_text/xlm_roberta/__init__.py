"""XLM-RoBERTa (https://arxiv.org/abs/1911.02116)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xlm-roberta",
    config="zoo_text.xlm_roberta.config:XLMRobertaConfig",
    models=classes(
        "zoo_text.xlm_roberta.model",
        AutoModel="XLMRobertaModel",
        AutoModelForTextEncoding="XLMRobertaModel",
        AutoModelForPreTraining="XLMRobertaForMaskedLM",
        AutoModelForMaskedLM="XLMRobertaForMaskedLM",
        AutoModelWithLMHead="XLMRobertaForMaskedLM",
        AutoModelForCausalLM="XLMRobertaForCausalLM",
        AutoModelForSequenceClassification="XLMRobertaForSequenceClassification",
        AutoModelForMultipleChoice="XLMRobertaForMultipleChoice",
        AutoModelForTokenClassification="XLMRobertaForTokenClassification",
        AutoModelForQuestionAnswering="XLMRobertaForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XLMRobertaTokenizer",
)
