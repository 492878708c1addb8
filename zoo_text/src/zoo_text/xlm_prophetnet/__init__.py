"""XLM-ProphetNet (https://arxiv.org/abs/2001.04063, trained on a hundred languages)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xlm-prophetnet",
    config="zoo_text.xlm_prophetnet.config:XLMProphetNetConfig",
    models=classes(
        "zoo_text.xlm_prophetnet.model",
        AutoModel="XLMProphetNetModel",
        AutoModelForCausalLM="XLMProphetNetForCausalLM",
        AutoModelForSeq2SeqLM="XLMProphetNetForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.small:XLMProphetNetTokenizer",
)
