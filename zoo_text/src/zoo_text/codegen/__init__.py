"""CodeGen (https://arxiv.org/abs/2203.13474)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="codegen",
    config="zoo_text.codegen.config:CodeGenConfig",
    models=classes(
        "zoo_text.codegen.model",
        AutoModel="CodeGenModel",
        AutoModelForCausalLM="CodeGenForCausalLM",
        AutoModelWithLMHead="CodeGenForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CodeGenTokenizer",
)
