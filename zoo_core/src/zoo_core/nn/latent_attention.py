"""Multi-head latent attention: keys and values come from one narrow vector (https://arxiv.org/abs/2405.04434)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.nn.attention import AttentionCore
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, MaskRule
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryTables


class LatentAttention(AttentionCore):
    """DeepSeek's attention; positions are in `rope_dim` features of each head, shared by all keys.

    Args:
        q_rank: width of the queries' own latent; None projects them directly.
        kv_rank: width of the latent of keys and values.
        nope_dim, rope_dim, v_dim: widths of a head's unrotated and rotated part, and of its values.
    """

    q_a_proj: nn.Linear | None

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        *,
        q_rank: int | None,
        kv_rank: int,
        nope_dim: int,
        rope_dim: int,
        v_dim: int,
        bias: bool = False,
        eps: float = 1e-6,
        dropout: float = 0.0,
        scale: float | None = None,
        rule: MaskRule = CAUSAL,
        layer_idx: int | None = None,
    ) -> None:
        super().__init__()
        self.num_heads, self.kv_rank = num_heads, kv_rank
        self.nope_dim, self.rope_dim, self.v_dim = nope_dim, rope_dim, v_dim
        width = nope_dim + rope_dim
        self.scale = width**-0.5 if scale is None else scale
        self.dropout, self.rule, self.layer_idx = dropout, rule, layer_idx
        if q_rank is None:
            self.q_proj = Linear(hidden_size, num_heads * width, bias=False)
            self.q_a_proj = None
        else:
            self.q_a_proj = Linear(hidden_size, q_rank, bias=bias)
            self.q_a_layernorm = RMSNorm(q_rank, eps)
            self.q_b_proj = Linear(q_rank, num_heads * width, bias=False)
        self.kv_a_proj_with_mqa = Linear(hidden_size, kv_rank + rope_dim, bias=bias)
        self.kv_a_layernorm = RMSNorm(kv_rank, eps)
        self.kv_b_proj = Linear(kv_rank, num_heads * (nope_dim + v_dim), bias=False)
        self.o_proj = Linear(num_heads * v_dim, hidden_size, bias=bias)

    def queries(self, hidden: Tensor) -> Tensor:
        """(batch, sequence, hidden) to (batch, sequence, heads x (nope_dim + rope_dim))."""
        if self.q_a_proj is None:
            return self.q_proj(hidden)
        return self.q_b_proj(self.q_a_layernorm(self.q_a_proj(hidden)))

    def latents(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """The normalised latent (batch, sequence, kv_rank) and the shared rotary key (..., rope_dim)."""
        latent, position = self.kv_a_proj_with_mqa(hidden).split((self.kv_rank, self.rope_dim), dim=-1)
        return self.kv_a_layernorm(latent), position

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        assert rotary is not None
        query = self.queries(hidden).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        latent, position = self.latents(hidden)
        unpacked = self.kv_b_proj(latent).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        key, value = unpacked.split((self.nope_dim, self.v_dim), dim=-1)
        turned = rotary(position[:, None]).expand(-1, self.num_heads, -1, -1)
        plain, rotated = query.split((self.nope_dim, self.rope_dim), dim=-1)
        query = torch.cat((plain, rotary(rotated)), dim=-1)
        return query, torch.cat((key, turned), dim=-1), value
