"""A decoder as of 2023: tuples for a cache, batch in its second dimension, None on the first step."""

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast


class LegacyConfig(PretrainedConfig):
    model_type = "tinylegacy"

    def __init__(self, vocab_size=30, hidden_size=12, use_cache=True, **kwargs):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.use_cache = use_cache
        super().__init__(**kwargs)


class LegacyForCausalLM(PreTrainedModel):
    config_class = LegacyConfig

    def __init__(self, config):
        super().__init__(config)
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.out = nn.Linear(config.hidden_size, config.vocab_size)
        self.post_init()

    def forward(self, input_ids, attention_mask=None, past_key_values=None, use_cache=None, return_dict=None):
        q, k, v = self.qkv(self.embed(input_ids)).transpose(0, 1).chunk(3, -1)
        past = 0
        if past_key_values is not None:
            past = past_key_values[0][0].shape[0]
            k, v = torch.cat([past_key_values[0][0], k]), torch.cat([past_key_values[0][1], v])
        scores = torch.einsum("qbd,kbd->bqk", q, k)
        hidden = torch.ones_like(scores[0]).triu(1 + past).bool()[None]
        if attention_mask is not None:
            hidden = hidden | ~attention_mask[:, None].bool()
        weights = scores.masked_fill(hidden, torch.finfo(scores.dtype).min).softmax(-1)
        logits = self.out(torch.einsum("bqk,kbd->bqd", weights, v))
        return CausalLMOutputWithPast(logits=logits, past_key_values=((k, v),) if use_cache else None)

    def prepare_inputs_for_generation(self, input_ids, past_key_values=None, attention_mask=None, **kwargs):
        if past_key_values is not None:
            input_ids = input_ids[:, -1:]
        return {
            "input_ids": input_ids,
            "past_key_values": past_key_values,
            "attention_mask": attention_mask,
            "use_cache": kwargs.get("use_cache"),
        }

    @staticmethod
    def _reorder_cache(past_key_values, beam_idx):
        return tuple(tuple(part.index_select(1, beam_idx) for part in layer) for layer in past_key_values)
