"""Its config: the class name is the same as zoo-text's, the class is not."""

from zoo_core.config import PretrainedConfig


class BertConfig(PretrainedConfig):
    """Another BERT's sizes."""

    model_type = "bert"

    hidden_size: int = 4
