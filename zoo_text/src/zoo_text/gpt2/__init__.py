"""GPT-2 (Radford et al., 2019, Language Models are Unsupervised Multitask Learners)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gpt2",
    config="zoo_text.gpt2.config:GPT2Config",
    models=classes(
        "zoo_text.gpt2.model",
        AutoModel="GPT2Model",
        AutoModelForPreTraining="GPT2LMHeadModel",
        AutoModelForCausalLM="GPT2LMHeadModel",
        AutoModelWithLMHead="GPT2LMHeadModel",
        AutoModelForSequenceClassification="GPT2ForSequenceClassification",
        AutoModelForQuestionAnswering="GPT2ForQuestionAnswering",
        AutoModelForTokenClassification="GPT2ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
