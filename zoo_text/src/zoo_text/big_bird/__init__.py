"""BigBird (https://arxiv.org/abs/2007.14062)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="big_bird",
    config="zoo_text.big_bird.config:BigBirdConfig",
    models=classes(
        "zoo_text.big_bird.model",
        AutoModel="BigBirdModel",
        AutoModelForTextEncoding="BigBirdModel",
        AutoModelForPreTraining="BigBirdForPreTraining",
        AutoModelForMaskedLM="BigBirdForMaskedLM",
        AutoModelWithLMHead="BigBirdForMaskedLM",
        AutoModelForCausalLM="BigBirdForCausalLM",
        AutoModelForSequenceClassification="BigBirdForSequenceClassification",
        AutoModelForMultipleChoice="BigBirdForMultipleChoice",
        AutoModelForTokenClassification="BigBirdForTokenClassification",
        AutoModelForQuestionAnswering="BigBirdForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:BigBirdTokenizer",
)
