"""FSMT, FairSeq's machine translation (https://arxiv.org/abs/1907.06616)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="fsmt",
    config="zoo_text.fsmt.config:FSMTConfig",
    models=classes(
        "zoo_text.fsmt.model",
        AutoModel="FSMTModel",
        AutoModelForPreTraining="FSMTForConditionalGeneration",
        AutoModelForSeq2SeqLM="FSMTForConditionalGeneration",
        AutoModelWithLMHead="FSMTForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.word_bpe:FSMTTokenizer",
)
