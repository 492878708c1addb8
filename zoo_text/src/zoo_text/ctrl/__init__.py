"""CTRL (https://arxiv.org/abs/1909.05858)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ctrl",
    config="zoo_text.ctrl.config:CTRLConfig",
    models=classes(
        "zoo_text.ctrl.model",
        AutoModel="CTRLModel",
        AutoModelForPreTraining="CTRLLMHeadModel",
        AutoModelForCausalLM="CTRLLMHeadModel",
        AutoModelWithLMHead="CTRLLMHeadModel",
        AutoModelForSequenceClassification="CTRLForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.word_bpe:CTRLTokenizer",
)
