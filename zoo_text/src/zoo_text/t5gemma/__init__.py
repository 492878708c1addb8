"""T5Gemma (https://arxiv.org/abs/2504.06225)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="t5gemma",
    config="zoo_text.t5gemma.config:T5GemmaConfig",
    models=classes(
        "zoo_text.t5gemma.model",
        AutoModel="T5GemmaModel",
        AutoModelForTextEncoding="T5GemmaEncoderModel",
        AutoModelForPreTraining="T5GemmaForConditionalGeneration",
        AutoModelForSeq2SeqLM="T5GemmaForConditionalGeneration",
        AutoModelWithLMHead="T5GemmaForConditionalGeneration",
        AutoModelForSequenceClassification="T5GemmaForSequenceClassification",
        AutoModelForTokenClassification="T5GemmaForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
)
