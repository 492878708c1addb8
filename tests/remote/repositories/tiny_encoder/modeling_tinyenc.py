"""An encoder with absolute positions, pruning helpers, two kinds of pooling and an output class of its own."""

import math
from dataclasses import dataclass
from typing import Optional, Tuple

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.activations import ACT2FN
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput
from transformers.modeling_utils import (
    apply_chunking_to_forward,
    find_pruneable_heads_and_indices,
    prune_linear_layer,
)
from transformers.utils import ModelOutput, logging

from .configuration_tinyenc import TinyEncConfig

logger = logging.get_logger(__name__)


@dataclass
class TinyEncOutput(ModelOutput):
    """Hidden states and embeddings."""

    last_hidden_state: torch.FloatTensor = None
    embedding: Optional[torch.FloatTensor] = None
    hidden_states: Optional[Tuple[torch.FloatTensor]] = None


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.register_buffer("position_ids", torch.arange(config.max_position_embeddings).expand((1, -1)))
        self.register_buffer(
            "token_type_ids", torch.zeros(self.position_ids.size(), dtype=torch.long), persistent=False
        )

    def forward(self, input_ids, token_type_ids=None):
        length = input_ids.size(1)
        if token_type_ids is None:
            token_type_ids = self.token_type_ids[:, :length].expand(input_ids.shape[0], length)
        x = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        x = x + self.position_embeddings(self.position_ids[:, :length])
        return self.dropout(self.LayerNorm(x))


class SelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.num_attention_heads = config.num_attention_heads
        self.head_size = config.hidden_size // config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)
        self.pruned_heads = set()

    def prune_heads(self, heads):
        heads, index = find_pruneable_heads_and_indices(
            heads, self.num_attention_heads, self.head_size, self.pruned_heads
        )
        self.query = prune_linear_layer(self.query, index)
        self.key = prune_linear_layer(self.key, index)
        self.value = prune_linear_layer(self.value, index)
        self.dense = prune_linear_layer(self.dense, index, dim=1)
        self.num_attention_heads -= len(heads)

    def split(self, x):
        return x.view(*x.shape[:2], self.num_attention_heads, self.head_size).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(self.head_size) + mask
        out = torch.matmul(self.dropout(nn.functional.softmax(scores, dim=-1)), v)
        return self.dense(out.permute(0, 2, 1, 3).flatten(2))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.chunk_size_feed_forward = config.chunk_size_feed_forward
        self.attention = SelfAttention(config)
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.up = nn.Linear(config.hidden_size, config.intermediate_size)
        self.act = ACT2FN[config.hidden_act]
        self.down = nn.Linear(config.intermediate_size, config.hidden_size)
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, x, mask):
        x = self.norm1(x + self.attention(x, mask))
        return apply_chunking_to_forward(self.feed_forward, self.chunk_size_feed_forward, 1, x)

    def feed_forward(self, x):
        return self.norm2(x + self.down(self.act(self.up(x))))


class TinyEncPreTrainedModel(PreTrainedModel):
    config_class = TinyEncConfig
    base_model_prefix = "tinyenc"

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(mean=0.0, std=self.config.initializer_range)
        elif isinstance(module, nn.LayerNorm):
            module.bias.data.zero_()
            module.weight.data.fill_(1.0)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.data.zero_()


class TinyEncModel(TinyEncPreTrainedModel):
    def __init__(self, config, add_pooling_layer=True):
        super().__init__(config)
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = nn.ModuleList([Layer(config) for _ in range(config.num_hidden_layers)])
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def get_input_embeddings(self):
        return self.embeddings.word_embeddings

    def _prune_heads(self, heads_to_prune):
        for layer, heads in heads_to_prune.items():
            self.encoder[layer].attention.prune_heads(heads)

    def forward(
        self, input_ids=None, attention_mask=None, token_type_ids=None, output_hidden_states=None, return_dict=None
    ):
        return_dict = return_dict if return_dict is not None else self.config.use_return_dict
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        mask = self.get_extended_attention_mask(attention_mask, input_ids.size())
        x = self.embeddings(input_ids, token_type_ids)
        states = (x,)
        for layer in self.encoder:
            x = layer(x, mask)
            states += (x,)
        kept = attention_mask.unsqueeze(-1).to(x.dtype)
        mean = (x * kept).sum(1) / kept.sum(1).clamp(min=1e-9)
        embedding = torch.tanh(self.pooler(x[:, 0])) + mean if self.pooler is not None else mean
        if not return_dict:
            return (x, embedding)
        return TinyEncOutput(
            last_hidden_state=x, embedding=embedding, hidden_states=states if output_hidden_states else None
        )

    @torch.no_grad()
    def encode(self, batch, normalize=True):
        """Embeddings of lists of token ids, as numpy."""
        width = max(len(row) for row in batch)
        ids = torch.tensor([row + [0] * (width - len(row)) for row in batch])
        found = self(input_ids=ids, attention_mask=(ids != 0).long()).embedding
        if normalize:
            found = nn.functional.normalize(found, dim=-1)
        return found.numpy()


class TinyEncForSequenceClassification(TinyEncPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.num_labels = config.num_labels
        self.tinyenc = TinyEncModel(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None, return_dict=None):
        outputs = self.tinyenc(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        logits = self.classifier(outputs.embedding)
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return SequenceClassifierOutput(loss=loss, logits=logits)


assert issubclass(BaseModelOutput, ModelOutput)
