"""ERNIE 4.5 (https://ernie.baidu.com/blog/publication/ERNIE_Technical_Report.pdf)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ernie4_5",
    config="zoo_text.ernie4_5.config:Ernie4_5Config",
    models=classes(
        "zoo_text.ernie4_5.model",
        AutoModel="Ernie4_5Model",
        AutoModelForCausalLM="Ernie4_5ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
