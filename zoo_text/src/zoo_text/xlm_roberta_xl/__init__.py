"""XLM-RoBERTa-XL (https://arxiv.org/abs/2105.00572)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xlm-roberta-xl",
    config="zoo_text.xlm_roberta_xl.config:XLMRobertaXLConfig",
    models=classes(
        "zoo_text.xlm_roberta_xl.model",
        AutoModelForTextEncoding="XLMRobertaXLModel",
        AutoModel="XLMRobertaXLModel",
        AutoModelForPreTraining="XLMRobertaXLForMaskedLM",
        AutoModelForCausalLM="XLMRobertaXLForCausalLM",
        AutoModelForMaskedLM="XLMRobertaXLForMaskedLM",
        AutoModelForSequenceClassification="XLMRobertaXLForSequenceClassification",
        AutoModelForQuestionAnswering="XLMRobertaXLForQuestionAnswering",
        AutoModelForTokenClassification="XLMRobertaXLForTokenClassification",
        AutoModelForMultipleChoice="XLMRobertaXLForMultipleChoice",
        AutoModelWithLMHead="XLMRobertaXLForMaskedLM",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XLMRobertaTokenizer",
)
