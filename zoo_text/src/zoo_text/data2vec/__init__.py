"""Data2Vec for text (https://arxiv.org/abs/2202.03555)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="data2vec-text",
    config="zoo_text.data2vec.config:Data2VecTextConfig",
    models=classes(
        "zoo_text.data2vec.model",
        AutoModelForTextEncoding="Data2VecTextModel",
        AutoModel="Data2VecTextModel",
        AutoModelForPreTraining="Data2VecTextForMaskedLM",
        AutoModelForCausalLM="Data2VecTextForCausalLM",
        AutoModelForMaskedLM="Data2VecTextForMaskedLM",
        AutoModelForSequenceClassification="Data2VecTextForSequenceClassification",
        AutoModelForQuestionAnswering="Data2VecTextForQuestionAnswering",
        AutoModelForTokenClassification="Data2VecTextForTokenClassification",
        AutoModelForMultipleChoice="Data2VecTextForMultipleChoice",
        AutoModelWithLMHead="Data2VecTextForMaskedLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
)
