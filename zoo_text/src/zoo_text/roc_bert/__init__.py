"""RoCBert (https://aclanthology.org/2022.acl-long.65)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="roc_bert",
    config="zoo_text.roc_bert.config:RoCBertConfig",
    models=classes(
        "zoo_text.roc_bert.model",
        AutoModel="RoCBertModel",
        AutoModelForTextEncoding="RoCBertModel",
        AutoModelForPreTraining="RoCBertForPreTraining",
        AutoModelForMaskedLM="RoCBertForMaskedLM",
        AutoModelWithLMHead="RoCBertForMaskedLM",
        AutoModelForCausalLM="RoCBertForCausalLM",
        AutoModelForSequenceClassification="RoCBertForSequenceClassification",
        AutoModelForMultipleChoice="RoCBertForMultipleChoice",
        AutoModelForTokenClassification="RoCBertForTokenClassification",
        AutoModelForQuestionAnswering="RoCBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.roc_bert:RoCBertTokenizer",
)
