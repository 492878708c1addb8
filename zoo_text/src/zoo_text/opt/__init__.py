"""OPT (https://arxiv.org/abs/2205.01068)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="opt",
    config="zoo_text.opt.config:OPTConfig",
    models=classes(
        "zoo_text.opt.model",
        AutoModel="OPTModel",
        AutoModelForPreTraining="OPTForCausalLM",
        AutoModelForCausalLM="OPTForCausalLM",
        AutoModelForSequenceClassification="OPTForSequenceClassification",
        AutoModelForQuestionAnswering="OPTForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
