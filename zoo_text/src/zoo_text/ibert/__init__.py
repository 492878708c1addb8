"""I-BERT (https://arxiv.org/abs/2101.01321)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ibert",
    config="zoo_text.ibert.config:IBertConfig",
    models=classes(
        "zoo_text.ibert.model",
        AutoModel="IBertModel",
        AutoModelForTextEncoding="IBertModel",
        AutoModelForPreTraining="IBertForMaskedLM",
        AutoModelForMaskedLM="IBertForMaskedLM",
        AutoModelWithLMHead="IBertForMaskedLM",
        AutoModelForSequenceClassification="IBertForSequenceClassification",
        AutoModelForMultipleChoice="IBertForMultipleChoice",
        AutoModelForTokenClassification="IBertForTokenClassification",
        AutoModelForQuestionAnswering="IBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
)
