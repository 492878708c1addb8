"""GPT (Radford et al., 2018, Improving Language Understanding by Generative Pre-Training)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="openai-gpt",
    config="zoo_text.openai_gpt.config:OpenAIGPTConfig",
    models=classes(
        "zoo_text.openai_gpt.model",
        AutoModel="OpenAIGPTModel",
        AutoModelForPreTraining="OpenAIGPTLMHeadModel",
        AutoModelForCausalLM="OpenAIGPTLMHeadModel",
        AutoModelWithLMHead="OpenAIGPTLMHeadModel",
        AutoModelForSequenceClassification="OpenAIGPTForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.legacy_bpe:OpenAIGPTTokenizer",
)
