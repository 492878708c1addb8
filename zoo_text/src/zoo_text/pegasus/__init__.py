"""PEGASUS (https://arxiv.org/abs/1912.08777)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="pegasus",
    config="zoo_text.pegasus.config:PegasusConfig",
    models=classes(
        "zoo_text.pegasus.model",
        AutoModel="PegasusModel",
        AutoModelForPreTraining="PegasusForConditionalGeneration",
        AutoModelForSeq2SeqLM="PegasusForConditionalGeneration",
        AutoModelForCausalLM="PegasusForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.unigram:PegasusTokenizer",
)
