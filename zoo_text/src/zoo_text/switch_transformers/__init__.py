"""Switch Transformers (https://arxiv.org/abs/2101.03961)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="switch_transformers",
    config="zoo_text.switch_transformers.config:SwitchTransformersConfig",
    models=classes(
        "zoo_text.switch_transformers.model",
        AutoModel="SwitchTransformersModel",
        AutoModelForPreTraining="SwitchTransformersForConditionalGeneration",
        AutoModelForSeq2SeqLM="SwitchTransformersForConditionalGeneration",
        AutoModelWithLMHead="SwitchTransformersForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.unigram:T5Tokenizer",
)
