"""ModernBERT as a decoder, of the Ettin models (https://arxiv.org/abs/2507.11412)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="modernbert-decoder",
    config="zoo_text.modernbert_decoder.config:ModernBertDecoderConfig",
    models=classes(
        "zoo_text.modernbert_decoder.model",
        AutoModel="ModernBertDecoderModel",
        AutoModelForCausalLM="ModernBertDecoderForCausalLM",
        AutoModelForSequenceClassification="ModernBertDecoderForSequenceClassification",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
