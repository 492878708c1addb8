"""CamemBERT (https://arxiv.org/abs/1911.03894)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="camembert",
    config="zoo_text.camembert.config:CamembertConfig",
    models=classes(
        "zoo_text.camembert.model",
        AutoModel="CamembertModel",
        AutoModelForPreTraining="CamembertForMaskedLM",
        AutoModelForMaskedLM="CamembertForMaskedLM",
        AutoModelWithLMHead="CamembertForMaskedLM",
        AutoModelForCausalLM="CamembertForCausalLM",
        AutoModelForSequenceClassification="CamembertForSequenceClassification",
        AutoModelForMultipleChoice="CamembertForMultipleChoice",
        AutoModelForTokenClassification="CamembertForTokenClassification",
        AutoModelForQuestionAnswering="CamembertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:CamembertTokenizer",
)
