"""FNet (https://arxiv.org/abs/2105.03824)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="fnet",
    config="zoo_text.fnet.config:FNetConfig",
    models=classes(
        "zoo_text.fnet.model",
        AutoModel="FNetModel",
        AutoModelForPreTraining="FNetForPreTraining",
        AutoModelForMaskedLM="FNetForMaskedLM",
        AutoModelWithLMHead="FNetForMaskedLM",
        AutoModelForNextSentencePrediction="FNetForNextSentencePrediction",
        AutoModelForSequenceClassification="FNetForSequenceClassification",
        AutoModelForMultipleChoice="FNetForMultipleChoice",
        AutoModelForTokenClassification="FNetForTokenClassification",
        AutoModelForQuestionAnswering="FNetForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:FNetTokenizer",
)
