"""Nyströmformer (https://arxiv.org/abs/2102.03902)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="nystromformer",
    config="zoo_text.nystromformer.config:NystromformerConfig",
    models=classes(
        "zoo_text.nystromformer.model",
        AutoModel="NystromformerModel",
        AutoModelForTextEncoding="NystromformerModel",
        AutoModelForMaskedLM="NystromformerForMaskedLM",
        AutoModelWithLMHead="NystromformerForMaskedLM",
        AutoModelForSequenceClassification="NystromformerForSequenceClassification",
        AutoModelForMultipleChoice="NystromformerForMultipleChoice",
        AutoModelForTokenClassification="NystromformerForTokenClassification",
        AutoModelForQuestionAnswering="NystromformerForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:AlbertTokenizer",
)
