"""RoBERTa with norms before the blocks (https://arxiv.org/abs/1904.01038)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="roberta-prelayernorm",
    config="zoo_text.roberta_prelayernorm.config:RobertaPreLayerNormConfig",
    models=classes(
        "zoo_text.roberta_prelayernorm.model",
        AutoModelForTextEncoding="RobertaPreLayerNormModel",
        AutoModel="RobertaPreLayerNormModel",
        AutoModelForPreTraining="RobertaPreLayerNormForMaskedLM",
        AutoModelForCausalLM="RobertaPreLayerNormForCausalLM",
        AutoModelForMaskedLM="RobertaPreLayerNormForMaskedLM",
        AutoModelForSequenceClassification="RobertaPreLayerNormForSequenceClassification",
        AutoModelForQuestionAnswering="RobertaPreLayerNormForQuestionAnswering",
        AutoModelForTokenClassification="RobertaPreLayerNormForTokenClassification",
        AutoModelForMultipleChoice="RobertaPreLayerNormForMultipleChoice",
        AutoModelWithLMHead="RobertaPreLayerNormForMaskedLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
)
