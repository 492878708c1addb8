import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from .configuration_tinypkg import TinyPkgConfig
from .layers import Block


class TinyPkgModel(PreTrainedModel):
    config_class = TinyPkgConfig
    main_input_name = "inputs_embeds"

    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.ModuleList(Block(config.width) for _ in range(config.blocks))
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.post_init()

    def forward(self, inputs_embeds, **kwargs):
        self.calls += 1
        for block in self.blocks:
            inputs_embeds = block(inputs_embeds)
        return BaseModelOutput(last_hidden_state=inputs_embeds)
