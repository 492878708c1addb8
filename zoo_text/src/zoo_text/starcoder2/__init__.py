"""StarCoder2 (https://arxiv.org/abs/2402.19173)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="starcoder2",
    config="zoo_text.starcoder2.config:Starcoder2Config",
    models=classes(
        "zoo_text.starcoder2.model",
        AutoModel="Starcoder2Model",
        AutoModelForCausalLM="Starcoder2ForCausalLM",
        AutoModelForSequenceClassification="Starcoder2ForSequenceClassification",
        AutoModelForTokenClassification="Starcoder2ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
