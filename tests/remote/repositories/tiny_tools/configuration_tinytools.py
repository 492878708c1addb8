from transformers import PretrainedConfig


class TinyToolsConfig(PretrainedConfig):
    model_type = "tinytools"

    def __init__(self, vocab_size=30, hidden_size=12, **kwargs):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        super().__init__(**kwargs)
