"""GPT-OSS (https://arxiv.org/abs/2508.10925)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gpt_oss",
    config="zoo_text.gpt_oss.config:GptOssConfig",
    models=classes(
        "zoo_text.gpt_oss.model",
        AutoModel="GptOssModel",
        AutoModelForCausalLM="GptOssForCausalLM",
        AutoModelForSequenceClassification="GptOssForSequenceClassification",
        AutoModelForTokenClassification="GptOssForTokenClassification",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
