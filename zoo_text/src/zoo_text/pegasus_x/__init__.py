"""PEGASUS-X (https://arxiv.org/abs/2208.04347)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="pegasus_x",
    config="zoo_text.pegasus_x.config:PegasusXConfig",
    models=classes(
        "zoo_text.pegasus_x.model",
        AutoModel="PegasusXModel",
        AutoModelForSeq2SeqLM="PegasusXForConditionalGeneration",
        AutoModelWithLMHead="PegasusXForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.unigram:PegasusTokenizer",
)
