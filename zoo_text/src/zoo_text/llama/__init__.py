"""Llama (https://arxiv.org/abs/2302.13971, https://arxiv.org/abs/2307.09288)."""

from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(
    model_type="llama",
    config="zoo_text.llama.config:LlamaConfig",
    models={
        "AutoModel": "zoo_text.llama.model:LlamaModel",
        "AutoModelForCausalLM": "zoo_text.llama.model:LlamaForCausalLM",
        "AutoModelForSequenceClassification": "zoo_text.llama.model:LlamaForSequenceClassification",
        "AutoModelForTokenClassification": "zoo_text.llama.model:LlamaForTokenClassification",
        "AutoModelForQuestionAnswering": "zoo_text.llama.model:LlamaForQuestionAnswering",
    },
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
