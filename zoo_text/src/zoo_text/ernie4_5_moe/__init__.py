"""ERNIE 4.5 MoE (https://ernie.baidu.com/blog/publication/ERNIE_Technical_Report.pdf)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ernie4_5_moe",
    config="zoo_text.ernie4_5_moe.config:Ernie4_5_MoeConfig",
    models=classes(
        "zoo_text.ernie4_5_moe.model",
        AutoModel="Ernie4_5_MoeModel",
        AutoModelForCausalLM="Ernie4_5_MoeForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
