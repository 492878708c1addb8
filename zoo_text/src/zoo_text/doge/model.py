"""Doge: attention that learns which keys to keep, weighed residuals, and experts of a single neuron."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_options, gated_mlp_of, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.recording import record, wants
from zoo_text.doge.config import DogeConfig


class DynamicMaskAttention(Attention):
    """Adds to the scores what the values say of a position, and keeps the `keep_window_size` best keys.

    Dynamic mask attention (https://arxiv.org/abs/2508.02124).
    """

    def __init__(self, config: DogeConfig, layer_idx: int, *, norm: NormFactory) -> None:
        options = attention_options(config, layer_idx, qk_norm=norm, rule=layer_rule(config, layer_idx))
        super().__init__(config.hidden_size, config.num_attention_heads, **options)
        self.keep = config.keep_window_size
        self.A = nn.Parameter(torch.zeros(self.num_kv_heads))
        self.dt_proj = nn.Linear(
            self.num_kv_heads * self.head_dim, self.num_kv_heads, bias=config.attention_bias
        )

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.A)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Mask, **options: Any) -> Tensor:
        worth = F.softplus(self.dt_proj(value.transpose(1, 2).flatten(2)))
        bias = torch.exp(self.A * worth).transpose(1, 2)[:, :, None]  # (batch, kv heads, 1, keys)
        bias = bias.expand(-1, -1, query.shape[2], -1)
        if key.shape[2] > self.keep:
            # equal tokens tie: in a stable order they do so alike with and without a cache
            kept = hide(bias, mask).argsort(dim=-1, descending=True, stable=True)[..., : self.keep]
            dropped = torch.ones_like(bias, dtype=torch.bool).scatter(-1, kept, False)
            bias = bias.masked_fill(dropped, torch.finfo(bias.dtype).min)
        bias = bias.repeat_interleave(self.num_heads // self.num_kv_heads, dim=1)
        return super().attend(query, key, value, mask, **{**options, "bias": bias})


def hide(bias: Tensor, mask: Mask) -> Tensor:
    """`bias` (..., query, keys), very low where a key may not be seen."""
    allowed = mask.allowed
    if mask.causal:
        queries, keys = bias.shape[-2:]
        allowed = torch.ones(queries, keys, dtype=torch.bool, device=bias.device).tril(keys - queries)
    return bias if allowed is None else bias.masked_fill(~allowed, torch.finfo(bias.dtype).min)


class CrossDomainExperts(GatedMLP):
    """A gated MLP for every token, and experts of one neuron each, found by the sum of two keys.

    Product-key retrieval of experts (https://arxiv.org/abs/2407.04153): scores of sqrt(experts) keys on
    each of two axes give the scores of all experts.
    """

    def __init__(self, config: DogeConfig) -> None:
        size = config.hidden_size
        super().__init__(size, config.intermediate_size, config.hidden_act, bias=config.mlp_bias)
        self.top_k, self.normalize = config.num_experts_per_tok, config.norm_topk_prob
        self.num_keys = math.isqrt(config.num_experts)
        self.router_gate = nn.Linear(size, 2 * self.num_keys, bias=False)
        self.down_embed = nn.Embedding(config.num_experts, size)
        self.up_embed = nn.Embedding(config.num_experts, size)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.router_gate(x).chunk(2, dim=-1)
        if wants("router_logits"):
            record("router_logits", (rows[..., None] + columns[..., None, :]).flatten(-2).flatten(0, -2))
        near = min(self.top_k, self.num_keys)
        (row_best, row), (column_best, column) = rows.topk(near, dim=-1), columns.topk(near, dim=-1)
        both = (row_best[..., None] + column_best[..., None, :]).flatten(-2)
        experts = (row[..., None] * self.num_keys + column[..., None, :]).flatten(-2)
        best, place = both.topk(self.top_k, dim=-1)
        index, weight = experts.gather(-1, place), best.softmax(-1)
        if self.normalize:
            weight = weight / weight.sum(-1, keepdim=True)
        neurons = self.act((self.down_embed(index) @ x[..., None]).squeeze(-1)) * weight
        return super().forward(x) + (neurons[..., None, :] @ self.up_embed(index)).squeeze(-2)


class DogeLayer(PreNormLayer):
    """w x + attn(norm(x)), then v x + mlp(norm(x)), with learned weights of each feature."""

    def __init__(self, size: int, norm: NormFactory, **parts: Any) -> None:
        super().__init__(size, norm, **parts)
        self.input_residual = nn.Parameter(torch.ones(size))
        self.post_attention_residual = nn.Parameter(torch.ones(size))

    def reset_parameters(self) -> None:
        nn.init.ones_(self.input_residual)
        nn.init.ones_(self.post_attention_residual)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        attended = self.dropout(self.self_attn(self.input_layernorm(hidden), context, **attention))
        hidden = self.input_residual * hidden + attended
        changed = self.dropout(self.mlp(self.post_attention_layernorm(hidden)))
        return self.post_attention_residual * hidden + changed


class DogePreTrainedModel(PreTrainedModel):
    """What all Doge classes share."""

    config_class = DogeConfig
    base_model_prefix = "model"


class DogeModel(DogePreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_layer(self, config: DogeConfig, layer_idx: int) -> nn.Module:
        norm = self.norm_of(config)
        return DogeLayer(
            config.hidden_size,
            norm,
            self_attn=DynamicMaskAttention(config, layer_idx, norm=norm),
            mlp=CrossDomainExperts(config) if config.is_moe else gated_mlp_of(config),
            dropout=config.hidden_dropout,
        )


class DogeForCausalLM(ForMoeCausalLM, DogePreTrainedModel):
    """Doge with a language modeling head."""

    base_class = DogeModel


class DogeForSequenceClassification(ForLastTokenClassification, DogePreTrainedModel):
    """Doge with a classifier on the last token."""

    base_class = DogeModel
