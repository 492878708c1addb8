"""MPT (MosaicML, 2023)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mpt",
    config="zoo_text.mpt.config:MptConfig",
    models=classes(
        "zoo_text.mpt.model",
        AutoModel="MptModel",
        AutoModelForPreTraining="MptForCausalLM",
        AutoModelForCausalLM="MptForCausalLM",
        AutoModelWithLMHead="MptForCausalLM",
        AutoModelForSequenceClassification="MptForSequenceClassification",
        AutoModelForTokenClassification="MptForTokenClassification",
        AutoModelForQuestionAnswering="MptForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
