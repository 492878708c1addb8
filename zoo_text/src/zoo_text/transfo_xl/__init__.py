"""Transformer-XL (https://arxiv.org/abs/1901.02860)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="transfo-xl",
    config="zoo_text.transfo_xl.config:TransfoXLConfig",
    models=classes(
        "zoo_text.transfo_xl.model",
        AutoModel="TransfoXLModel",
        AutoModelForPreTraining="TransfoXLLMHeadModel",
        AutoModelForCausalLM="TransfoXLLMHeadModel",
        AutoModelWithLMHead="TransfoXLLMHeadModel",
        AutoModelForSequenceClassification="TransfoXLForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.transfo_xl:TransfoXLTokenizer",
)
