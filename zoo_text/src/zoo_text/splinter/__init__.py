"""Splinter (https://arxiv.org/abs/2101.00438)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="splinter",
    config="zoo_text.splinter.config:SplinterConfig",
    models=classes(
        "zoo_text.splinter.model",
        AutoModel="SplinterModel",
        AutoModelForPreTraining="SplinterForPreTraining",
        AutoModelForQuestionAnswering="SplinterForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:SplinterTokenizer",
)
