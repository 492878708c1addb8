from transformers import PretrainedConfig


class TinySplitConfig(PretrainedConfig):
    model_type = "tinysplit"

    def __init__(self, width=8, depth=3, **kwargs):
        self.width = width
        self.depth = depth
        super().__init__(**kwargs)
