"""FlauBERT (https://arxiv.org/abs/1912.05372)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="flaubert",
    config="zoo_text.flaubert.config:FlaubertConfig",
    models=classes(
        "zoo_text.flaubert.model",
        AutoModel="FlaubertModel",
        AutoModelForTextEncoding="FlaubertModel",
        AutoModelForPreTraining="FlaubertWithLMHeadModel",
        AutoModelForMaskedLM="FlaubertWithLMHeadModel",
        AutoModelWithLMHead="FlaubertWithLMHeadModel",
        AutoModelForSequenceClassification="FlaubertForSequenceClassification",
        AutoModelForMultipleChoice="FlaubertForMultipleChoice",
        AutoModelForTokenClassification="FlaubertForTokenClassification",
        AutoModelForQuestionAnswering="FlaubertForQuestionAnsweringSimple",
    ),
    tokenizer="zoo_text.tokenizers.word_bpe:FlaubertTokenizer",
)
