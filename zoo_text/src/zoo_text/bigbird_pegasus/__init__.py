"""BigBird-Pegasus (https://arxiv.org/abs/2007.14062)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bigbird_pegasus",
    config="zoo_text.bigbird_pegasus.config:BigBirdPegasusConfig",
    models=classes(
        "zoo_text.bigbird_pegasus.model",
        AutoModel="BigBirdPegasusModel",
        AutoModelForCausalLM="BigBirdPegasusForCausalLM",
        AutoModelForSeq2SeqLM="BigBirdPegasusForConditionalGeneration",
        AutoModelWithLMHead="BigBirdPegasusForConditionalGeneration",
        AutoModelForSequenceClassification="BigBirdPegasusForSequenceClassification",
        AutoModelForQuestionAnswering="BigBirdPegasusForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:PegasusTokenizer",
)
