"""Phi-1, Phi-1.5 and Phi-2 (https://arxiv.org/abs/2309.05463)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="phi",
    config="zoo_text.phi.config:PhiConfig",
    models=classes(
        "zoo_text.phi.model",
        AutoModel="PhiModel",
        AutoModelForCausalLM="PhiForCausalLM",
        AutoModelForSequenceClassification="PhiForSequenceClassification",
        AutoModelForTokenClassification="PhiForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CodeGenTokenizer",
)
