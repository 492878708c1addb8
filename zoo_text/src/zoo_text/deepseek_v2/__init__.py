"""DeepSeek-V2 (https://arxiv.org/abs/2405.04434)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deepseek_v2",
    config="zoo_text.deepseek_v2.config:DeepseekV2Config",
    models=classes(
        "zoo_text.deepseek_v2.model",
        AutoModel="DeepseekV2Model",
        AutoModelForCausalLM="DeepseekV2ForCausalLM",
        AutoModelForSequenceClassification="DeepseekV2ForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
