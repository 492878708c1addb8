"""NLLB-MoE (https://arxiv.org/abs/2207.04672)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="nllb-moe",
    config="zoo_text.nllb_moe.config:NllbMoeConfig",
    models=classes(
        "zoo_text.nllb_moe.model",
        AutoModel="NllbMoeModel",
        AutoModelForPreTraining="NllbMoeForConditionalGeneration",
        AutoModelForSeq2SeqLM="NllbMoeForConditionalGeneration",
        AutoModelWithLMHead="NllbMoeForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.multilingual:NllbTokenizer",
)
