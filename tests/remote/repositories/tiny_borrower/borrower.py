"""A head of its own over the library's BERT, and a GPT-2 beside it, whose files hold other shapes."""

import torch
from torch import nn
from transformers import BertConfig, BertModel, BertPreTrainedModel, GPT2Config, GPT2Model


class BorrowConfig(BertConfig):
    model_type = "tinyborrow"

    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width


class BorrowModel(BertPreTrainedModel):
    config_class = BorrowConfig

    def __init__(self, config):
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.gpt = GPT2Model(GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2, n_positions=16))
        self.linear = nn.Linear(config.hidden_size, config.width, bias=False)
        self.init_weights()

    def forward(self, input_ids, attention_mask=None):
        states = self.bert(input_ids, attention_mask=attention_mask)[0] + self.gpt(input_ids)[0]
        return nn.functional.normalize(self.linear(states), p=2, dim=2)
