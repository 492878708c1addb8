"""BLOOM (https://arxiv.org/abs/2211.05100)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bloom",
    config="zoo_text.bloom.config:BloomConfig",
    models=classes(
        "zoo_text.bloom.model",
        AutoModel="BloomModel",
        AutoModelForPreTraining="BloomForCausalLM",
        AutoModelForCausalLM="BloomForCausalLM",
        AutoModelWithLMHead="BloomForCausalLM",
        AutoModelForSequenceClassification="BloomForSequenceClassification",
        AutoModelForTokenClassification="BloomForTokenClassification",
        AutoModelForQuestionAnswering="BloomForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:BloomTokenizer",
)
