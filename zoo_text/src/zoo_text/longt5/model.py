"""LongT5: a T5 whose encoder sees a neighbourhood, and summaries of the blocks of the whole input."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import T5_ENCODER_LAYER
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_text.longt5.config import LongT5Config
from zoo_text.t5 import model as t5

HIDDEN = -1e10  # added to scores; the files' own value, which shows where a query may see nothing


class LongT5PreTrainedModel(t5.T5PreTrainedModel):
    """What all LongT5 classes share."""

    config_class = LongT5Config


def blocks_of(x: Tensor, size: int) -> Tensor:
    """(batch, sequence, ...) to (batch, blocks, size, ...), filled up with zeros."""
    missing = -x.shape[1] % size
    return F.pad(x, (0, 0) * (x.dim() - 2) + (0, missing)).unflatten(1, (-1, size))


def with_neighbours(x: Tensor) -> Tensor:
    """Blocks (batch, blocks, size, ...) joined with those before and after, (batch, blocks, 3 size, ...)."""
    wide = F.pad(x, (0, 0) * (x.dim() - 2) + (1, 1))
    return torch.cat((wide[:, :-2], x, wide[:, 2:]), dim=2)


def padding_of(hidden: Tensor, context: AttentionContext) -> Tensor:
    """Which inputs (batch, sequence) are tokens, as bool."""
    if context.padding is None:
        return torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
    return context.padding[:, 0, -1, :]


class LocalAttention(t5.T5Attention):
    """Attention to keys at most `local_radius` away, computed by blocks of queries.

    The weights recorded are (batch, blocks, heads, size, 3 size).
    """

    def __init__(self, config: LongT5Config, layer_idx: int) -> None:
        super().__init__(config, layer_idx, decoder=False)
        self.size = config.local_radius + 1

    def local_bias(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        """What is added to the scores, (batch, blocks, heads, size, 3 size)."""
        size = self.size
        tokens = blocks_of(padding_of(hidden, context).long(), size)
        queries = torch.arange(size, device=hidden.device) + size
        distances = torch.arange(3 * size, device=hidden.device) - queries[:, None]
        allowed = (tokens[..., :, None] * with_neighbours(tokens)[..., None, :] > 0) & (
            distances.abs() < size
        )
        assert self.relative_attention_bias is not None
        bias = self.relative_attention_bias.of_distances(distances)[:, None]
        return bias + torch.where(allowed, 0.0, HIDDEN).to(hidden.dtype)[:, :, None]

    def score_biases(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        """The same in all layers; the first, which holds the tables, computes it."""
        if self.relative_attention_bias is not None:
            context.shared["block_bias"] = self.local_bias(hidden, context)
        return context.shared["block_bias"]

    def further(self, hidden: Tensor, context: AttentionContext) -> tuple[Tensor, ...]:
        """Further states (batch, keys, size) that every query may attend to."""
        return ()

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, head_mask: Tensor | None = None
    ) -> Tensor:
        def split(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self.num_heads, self.head_dim))

        query, key, value = (blocks_of(split(x), self.size) for x in self.project(hidden))
        key, value = with_neighbours(key), with_neighbours(value)
        for states in self.further(hidden, context):
            every = (-1, key.shape[1], -1, -1, -1)
            key = torch.cat((key, split(self.k_proj(states))[:, None].expand(every)), dim=2)
            value = torch.cat((value, split(self.v_proj(states))[:, None].expand(every)), dim=2)
        scores = torch.einsum("...qhd,...khd->...hqk", query, key) + self.score_biases(hidden, context)
        weights = scores.float().softmax(-1).to(scores.dtype)
        weights = F.dropout(weights, self.dropout, self.training)
        if head_mask is not None:
            weights = weights * head_mask
        record(ATTENTIONS, weights)
        attended = torch.einsum("...hqk,...khd->...qhd", weights, value)
        return self.o_proj(attended.flatten(1, 2).flatten(2)[:, : hidden.shape[1]])


class TransientGlobalAttention(LocalAttention):
    """As LocalAttention, and to the normalised sums of all blocks of `global_block_size` inputs."""

    def __init__(self, config: LongT5Config, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        self.block = config.global_block_size
        self.global_input_layer_norm = t5.T5Norm(config.d_model, config.layer_norm_epsilon)
        self.global_relative_attention_bias = None
        if layer_idx == 0:
            self.global_relative_attention_bias = t5.relative_bias(config, decoder=False)

    def members(self, tokens: Tensor) -> Tensor:
        """The block (batch, sequence) that each token belongs to, -1 for padding.

        Only blocks that end in a token count; tokens after the last of these belong to it.
        """
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        ends = tokens & (positions % self.block == self.block - 1)
        last = ends.sum(-1, keepdim=True) - 1
        return torch.where(tokens, torch.minimum(positions // self.block, last), -1)

    def further(self, hidden: Tensor, context: AttentionContext) -> tuple[Tensor, ...]:
        members = self.members(padding_of(hidden, context))
        blocks = torch.arange(hidden.shape[1] // self.block, device=hidden.device)
        sums = (members[:, None] == blocks[:, None]).to(hidden.dtype) @ hidden
        return (self.global_input_layer_norm(sums),)

    def local_bias(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        tokens = padding_of(hidden, context)
        members = self.members(tokens)
        blocks = torch.arange(hidden.shape[1] // self.block, device=hidden.device)
        used = blocks <= members.amax(-1, keepdim=True)
        allowed = tokens[:, :, None] == used[:, None, :]
        assert self.global_relative_attention_bias is not None
        side = self.global_relative_attention_bias.of_distances(blocks - members[..., None])
        side = side + torch.where(allowed, 0.0, HIDDEN).to(hidden.dtype)[:, None]
        side = blocks_of(side.transpose(1, 2), self.size).transpose(2, 3)
        local = super().local_bias(hidden, context)
        return torch.cat((local.expand(side.shape[0], -1, -1, -1, -1), side), dim=-1)


KINDS = {
    "local": (LocalAttention, "LocalSelfAttention"),
    "transient-global": (TransientGlobalAttention, "TransientGlobalSelfAttention"),
}


class LongT5Stack(LongT5PreTrainedModel, t5.T5Stack):
    """The encoder, or T5's decoder."""

    def make_layer(self, config: LongT5Config, layer_idx: int) -> nn.Module:
        layer = t5.T5Layer(config, layer_idx, decoder=self.is_decoder)
        if not self.is_decoder:
            kind, name = KINDS[config.encoder_attention_type]
            layer.self_attn = kind(config, layer_idx)
            layer.hub_names = renamed(name)
        return layer


def renamed(attention: str) -> dict[Any, Any]:
    """T5's names with another for the attention."""
    return {
        inside: hub.replace(".SelfAttention", f".{attention}") if isinstance(hub, str) else hub
        for inside, hub in T5_ENCODER_LAYER.items()
    }


class LongT5Model(LongT5PreTrainedModel, t5.T5Model):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = LongT5Stack


class LongT5EncoderModel(LongT5PreTrainedModel, t5.T5EncoderModel):
    """The encoder alone, under the names of the whole model."""

    stack_class = LongT5Stack


class LongT5ForConditionalGeneration(LongT5PreTrainedModel, t5.T5ForConditionalGeneration):
    """LongT5 with a language modeling head."""

    base_class = LongT5Model
