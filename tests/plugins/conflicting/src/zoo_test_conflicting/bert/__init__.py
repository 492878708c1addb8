"""A BERT of somebody else's."""

from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(
    model_type="bert",
    config="zoo_test_conflicting.bert.config:BertConfig",
    models={"AutoModel": "zoo_test_conflicting.bert.model:BertModel"},
    tokenizer="zoo_test_conflicting.bert.tokenizer:BertTokenizerFast",
)
