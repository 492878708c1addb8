"""SmolLM3 (https://huggingface.co/blog/smollm3)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="smollm3",
    config="zoo_text.smollm3.config:SmolLM3Config",
    models=classes(
        "zoo_text.smollm3.model",
        AutoModel="SmolLM3Model",
        AutoModelForCausalLM="SmolLM3ForCausalLM",
        AutoModelForSequenceClassification="SmolLM3ForSequenceClassification",
        AutoModelForTokenClassification="SmolLM3ForTokenClassification",
        AutoModelForQuestionAnswering="SmolLM3ForQuestionAnswering",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
