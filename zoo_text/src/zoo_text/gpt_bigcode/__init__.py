"""GPTBigCode, SantaCoder and StarCoder (https://arxiv.org/abs/2301.03988)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gpt_bigcode",
    config="zoo_text.gpt_bigcode.config:GPTBigCodeConfig",
    models=classes(
        "zoo_text.gpt_bigcode.model",
        AutoModel="GPTBigCodeModel",
        AutoModelForPreTraining="GPTBigCodeForCausalLM",
        AutoModelForCausalLM="GPTBigCodeForCausalLM",
        AutoModelWithLMHead="GPTBigCodeForCausalLM",
        AutoModelForSequenceClassification="GPTBigCodeForSequenceClassification",
        AutoModelForTokenClassification="GPTBigCodeForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
