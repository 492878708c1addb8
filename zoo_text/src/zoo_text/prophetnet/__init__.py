"""ProphetNet (https://arxiv.org/abs/2001.04063)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="prophetnet",
    config="zoo_text.prophetnet.config:ProphetNetConfig",
    models=classes(
        "zoo_text.prophetnet.model",
        AutoModel="ProphetNetModel",
        AutoModelForCausalLM="ProphetNetForCausalLM",
        AutoModelForSeq2SeqLM="ProphetNetForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.small:ProphetNetTokenizer",
)
