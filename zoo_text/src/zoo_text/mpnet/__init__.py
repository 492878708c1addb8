"""MPNet (https://arxiv.org/abs/2004.09297)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mpnet",
    config="zoo_text.mpnet.config:MPNetConfig",
    models=classes(
        "zoo_text.mpnet.model",
        AutoModel="MPNetModel",
        AutoModelForPreTraining="MPNetForMaskedLM",
        AutoModelForMaskedLM="MPNetForMaskedLM",
        AutoModelWithLMHead="MPNetForMaskedLM",
        AutoModelForSequenceClassification="MPNetForSequenceClassification",
        AutoModelForMultipleChoice="MPNetForMultipleChoice",
        AutoModelForTokenClassification="MPNetForTokenClassification",
        AutoModelForQuestionAnswering="MPNetForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:MPNetTokenizer",
)
