"""RoFormer (https://arxiv.org/abs/2104.09864)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="roformer",
    config="zoo_text.roformer.config:RoFormerConfig",
    models=classes(
        "zoo_text.roformer.model",
        AutoModel="RoFormerModel",
        AutoModelForTextEncoding="RoFormerModel",
        AutoModelForMaskedLM="RoFormerForMaskedLM",
        AutoModelWithLMHead="RoFormerForMaskedLM",
        AutoModelForCausalLM="RoFormerForCausalLM",
        AutoModelForSequenceClassification="RoFormerForSequenceClassification",
        AutoModelForMultipleChoice="RoFormerForMultipleChoice",
        AutoModelForTokenClassification="RoFormerForTokenClassification",
        AutoModelForQuestionAnswering="RoFormerForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:RoFormerTokenizer",
)
