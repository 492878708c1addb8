"""Granite Speech's encoder: a Conformer that attends within blocks and reads its own letters halfway."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.linear import Linear
from zoo_multimodal.granite_speech.config import GraniteSpeechEncoderConfig


class FeedForward(nn.Module):
    """Norm, two linear maps and a swish between."""

    def __init__(self, config: GraniteSpeechEncoderConfig) -> None:
        super().__init__()
        size, inner = config.hidden_dim, config.hidden_dim * config.feedforward_mult
        self.pre_norm = nn.LayerNorm(size)
        self.up_proj, self.down_proj = Linear(size, inner), Linear(inner, size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = self.dropout(F.silu(self.up_proj(self.pre_norm(hidden))))
        return self.dropout(self.down_proj(inner))


class BlockAttention(nn.Module):
    """Attention within blocks of `context_size` frames, with a learned vector for each distance.

    See https://arxiv.org/abs/1803.02155 for the vectors.
    """

    def __init__(self, config: GraniteSpeechEncoderConfig) -> None:
        super().__init__()
        self.block, self.reach, self.width = config.context_size, config.max_pos_emb, config.dim_head
        inner = config.num_heads * config.dim_head
        self.pre_norm = nn.LayerNorm(config.hidden_dim)
        self.to_q = Linear(config.hidden_dim, inner, bias=False)
        self.to_kv = Linear(config.hidden_dim, 2 * inner, bias=False)
        self.to_out = Linear(inner, config.hidden_dim)
        self.rel_pos_emb = nn.Embedding(2 * config.max_pos_emb + 1, config.dim_head)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, frames, hidden) to the same shape."""
        frames, block = hidden.shape[1], self.block
        hidden = F.pad(self.pre_norm(hidden), (0, 0, 0, -frames % block))
        key, value = self.to_kv(hidden).chunk(2, dim=-1)
        query, key, value = (
            x.unflatten(1, (-1, block)).unflatten(-1, (-1, self.width)).transpose(2, 3)
            for x in (self.to_q(hidden), key, value)
        )  # (batch, blocks, heads, block, width)
        place = torch.arange(block, device=hidden.device)
        distances = self.rel_pos_emb(place[:, None] - place + self.reach)
        scale = self.width**-0.5
        bias = torch.einsum("bmhcd,crd->bmhcr", query, distances) * scale
        left = frames % block
        if left:  # in the last block padding neither sees nor is seen
            known = place < left
            hidden_pairs = ~(known[:, None] & known)
            lowest = torch.finfo(bias.dtype).min
            last = bias[:, -1:].masked_fill(hidden_pairs, lowest)
            bias = torch.cat((bias[:, :-1], last), dim=1)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scale)
        found = found.transpose(2, 3).flatten(3).flatten(1, 2)[:, :frames]
        return self.dropout(self.to_out(found))


class DepthwiseConvolution(nn.Module):
    """A convolution of each channel, as long as its input."""

    def __init__(self, size: int, kernel: int) -> None:
        super().__init__()
        self.ends = (kernel // 2, kernel // 2 - (kernel + 1) % 2)
        self.conv = nn.Conv1d(size, size, kernel, groups=size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.conv(F.pad(hidden, self.ends))


class Convolution(nn.Module):
    """Norm, gate, a convolution of each channel, norm, swish."""

    def __init__(self, config: GraniteSpeechEncoderConfig) -> None:
        super().__init__()
        size, inner = config.hidden_dim, config.hidden_dim * config.conv_expansion_factor
        self.norm = nn.LayerNorm(size)
        self.up_conv = nn.Conv1d(size, 2 * inner, 1)
        self.depth_conv = DepthwiseConvolution(inner, config.conv_kernel_size)
        self.batch_norm = nn.BatchNorm1d(inner)
        self.down_conv = nn.Conv1d(inner, size, 1)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = F.glu(self.up_conv(self.norm(hidden).transpose(1, 2)), dim=1)
        hidden = F.silu(self.batch_norm(self.depth_conv(hidden)))
        return self.dropout(self.down_conv(hidden).transpose(1, 2))


class GraniteSpeechLayer(nn.Module):
    """Half a feed-forward block, attention, convolution, the other half, norm."""

    def __init__(self, config: GraniteSpeechEncoderConfig) -> None:
        super().__init__()
        self.ff1, self.ff2 = FeedForward(config), FeedForward(config)
        self.attn, self.conv = BlockAttention(config), Convolution(config)
        self.post_norm = nn.LayerNorm(config.hidden_dim)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = hidden + 0.5 * self.ff1(hidden)
        hidden = hidden + self.attn(hidden)
        hidden = hidden + self.conv(hidden)
        return self.post_norm(hidden + 0.5 * self.ff2(hidden))


class GraniteSpeechEncoder(PreTrainedModel):
    """Stacked log-mel frames (batch, frames, input_dim) to states (batch, frames, hidden)."""

    config_class = GraniteSpeechEncoderConfig
    base_model_prefix = "encoder"
    main_input_name = "input_features"

    def __init__(self, config: GraniteSpeechEncoderConfig) -> None:
        super().__init__(config)
        self.input_linear = Linear(config.input_dim, config.hidden_dim)
        self.layers = nn.ModuleList(GraniteSpeechLayer(config) for _ in range(config.num_layers))
        self.out = Linear(config.hidden_dim, config.output_dim)
        self.out_mid = Linear(config.output_dim, config.hidden_dim)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("the encoder takes spectrograms, not tokens")

    def forward(self, input_features: Tensor, **inputs: Any) -> BaseModelOutput:
        hidden = self.input_linear(input_features.to(self.dtype))
        for index, layer in enumerate(self.layers, start=1):
            hidden = layer(hidden)
            if index == len(self.layers) // 2:
                hidden = hidden + self.out_mid(self.out(hidden).softmax(-1))
        return BaseModelOutput(last_hidden_state=hidden)
