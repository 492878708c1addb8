"""DeepSeek-V3 (https://arxiv.org/abs/2412.19437)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deepseek_v3",
    config="zoo_text.deepseek_v3.config:DeepseekV3Config",
    models=classes(
        "zoo_text.deepseek_v3.model",
        AutoModel="DeepseekV3Model",
        AutoModelForCausalLM="DeepseekV3ForCausalLM",
        AutoModelForSequenceClassification="DeepseekV3ForSequenceClassification",
        AutoModelForTokenClassification="DeepseekV3ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
