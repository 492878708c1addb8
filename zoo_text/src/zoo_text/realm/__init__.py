"""REALM (https://arxiv.org/abs/2002.08909)."""

from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(
    model_type="realm",
    config="zoo_text.realm.config:RealmConfig",
    models={},
    tokenizer="zoo_text.tokenizers.wordpiece:RealmTokenizer",
)
