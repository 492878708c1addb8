"""RetriBERT (https://yjernite.github.io/lfqa.html)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="retribert",
    config="zoo_text.retribert.config:RetriBertConfig",
    models=classes(
        "zoo_text.retribert.model", AutoModel="RetriBertModel", AutoModelForPreTraining="RetriBertModel"
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:RetriBertTokenizer",
)
