import torch
from torch import nn
from transformers import AutoConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class TinySplitModel(PreTrainedModel):
    base_model_prefix = "model"

    def __init__(self, config):
        super().__init__(config)
        self.layers = nn.Sequential(*[nn.Linear(config.width, config.width) for _ in range(config.depth)])
        self.rnn = nn.GRU(config.width, config.width, batch_first=True)
        self.head = nn.Linear(config.width, config.num_labels)
        self.post_init()

    def forward(self, inputs_embeds, labels=None, return_dict=None):
        x, _ = self.rnn(torch.relu(self.layers(inputs_embeds)))
        logits = self.head(x[:, -1])
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return SequenceClassifierOutput(loss=loss, logits=logits)
