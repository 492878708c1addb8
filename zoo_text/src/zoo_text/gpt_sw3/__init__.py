"""GPT-SW3 (https://arxiv.org/abs/2305.12987): a GPT-2 for the Nordic languages, with its own tokenizer."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gpt-sw3",
    config="zoo_text.gpt2.config:GPT2Config",
    models=classes(
        "zoo_text.gpt2.model",
        AutoModel="GPT2Model",
        AutoModelForPreTraining="GPT2LMHeadModel",
        AutoModelForCausalLM="GPT2LMHeadModel",
        AutoModelWithLMHead="GPT2LMHeadModel",
        AutoModelForSequenceClassification="GPT2ForSequenceClassification",
        AutoModelForTokenClassification="GPT2ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.unigram:GPTSw3Tokenizer",
)
