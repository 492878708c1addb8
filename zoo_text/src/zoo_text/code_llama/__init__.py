"""Code Llama (https://arxiv.org/abs/2308.12950): the weights of a Llama, a tokenizer that fills gaps."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="code_llama",
    config="zoo_text.llama.config:LlamaConfig",
    models=classes(
        "zoo_text.llama.model",
        AutoModel="LlamaModel",
        AutoModelForCausalLM="LlamaForCausalLM",
        AutoModelForSequenceClassification="LlamaForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:CodeLlamaTokenizer",
)
