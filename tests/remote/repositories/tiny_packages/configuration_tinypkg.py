from transformers import PretrainedConfig

from .layers import DEFAULT_WIDTH


class TinyPkgConfig(PretrainedConfig):
    model_type = "tinypkg"

    def __init__(self, width=DEFAULT_WIDTH, blocks=2, **kwargs):
        self.width = width
        self.blocks = blocks
        super().__init__(**kwargs)
