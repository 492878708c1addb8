"""Small functions that code of repositories borrows from other models' files."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Root mean square norm over the last dimension, in float32 (https://arxiv.org/abs/1910.07467)."""

    def __init__(self, hidden_size: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states: Tensor) -> Tensor:
        wide = hidden_states.float()
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.variance_epsilon)
        return self.weight * scaled.to(hidden_states.dtype)


def rotate_half(x: Tensor) -> Tensor:
    """(a, b) -> (-b, a) over the halves of the last dimension."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rotary_pos_emb(
    q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, position_ids: Tensor | None = None, unsqueeze_dim: int = 1
) -> tuple[Tensor, Tensor]:
    """Rotate queries and keys (batch, heads, positions, width) by tables (batch, positions, width)."""
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    return q * cos + rotate_half(q) * sin, k * cos + rotate_half(k) * sin


def repeat_kv(hidden_states: Tensor, n_rep: int) -> Tensor:
    """(batch, groups, positions, width) -> (batch, groups * n_rep, positions, width)."""
    return hidden_states if n_rep == 1 else hidden_states.repeat_interleave(n_rep, dim=1)


def eager_attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """Attention step by step. Returns (batch, queries, heads, width) and the weights."""
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query, key.transpose(2, 3)) * scale
    if attention_mask is not None:
        scores = scores + attention_mask[..., : key.shape[-2]]
    weights = F.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    weights = F.dropout(weights, p=dropout, training=module.training)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), weights


def sdpa_attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention by torch's fused kernel. Causal without a mask, unless the module says otherwise."""
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    if attention_mask is not None:
        attention_mask = attention_mask[..., : key.shape[-2]]
    if is_causal is None:
        is_causal = query.shape[2] > 1 and attention_mask is None and getattr(module, "is_causal", True)
    attended = F.scaled_dot_product_attention(
        query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling, is_causal=is_causal
    )
    return attended.transpose(1, 2).contiguous(), None


class AttentionInterface(dict[str, Any]):
    """Attention functions by name; ``eager`` is each model's own, so it is not in the table."""

    def register(self, key: str, value: Any) -> None:
        self[key] = value

    def valid_keys(self) -> list[str]:
        return list(self)

    def get_interface(self, attn_implementation: str, default: Any) -> Any:
        """The function of that name, ``default`` for "eager"."""
        return default if attn_implementation in (None, "eager") else self[attn_implementation]


ALL_ATTENTION_FUNCTIONS = AttentionInterface(
    sdpa=sdpa_attention_forward, flex_attention=sdpa_attention_forward
)


ALL_LAYERNORM_LAYERS: list[type[nn.Module]] = [nn.LayerNorm, RMSNorm]
"""Norms, to which code of repositories adds its own."""


class Conv1D(nn.Module):
    """A linear layer whose weight is stored as (in, out), as GPT-2's is."""

    def __init__(self, nf: int, nx: int) -> None:
        super().__init__()
        self.nf, self.nx = nf, nx
        self.weight = nn.Parameter(torch.empty(nx, nf))
        self.bias = nn.Parameter(torch.zeros(nf))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight).view(*x.shape[:-1], self.nf)


def apply_chunking_to_forward(
    forward_fn: Any, chunk_size: int, chunk_dim: int, *input_tensors: Tensor
) -> Tensor:
    """Apply a function chunk by chunk along one dimension, to save memory; 0 means all at once."""
    if chunk_size <= 0:
        whole: Tensor = forward_fn(*input_tensors)
        return whole
    if input_tensors[0].shape[chunk_dim] % chunk_size:
        raise ValueError(f"chunk_size {chunk_size} must divide {input_tensors[0].shape[chunk_dim]}")
    parts = zip(*(torch.split(t, chunk_size, chunk_dim) for t in input_tensors), strict=True)
    return torch.cat([forward_fn(*part) for part in parts], dim=chunk_dim)


def find_pruneable_heads_and_indices(
    heads: Any, n_heads: int, head_size: int, already_pruned_heads: set[int]
) -> tuple[set[int], Tensor]:
    """The heads not pruned before, and the rows of the projection that stay."""
    new = set(heads) - already_pruned_heads
    keep = torch.ones(n_heads, head_size, dtype=torch.bool)
    for head in new:
        keep[head - sum(1 for old in already_pruned_heads if old < head)] = False
    return new, torch.arange(keep.numel())[keep.view(-1)]


def prune_linear_layer(layer: nn.Linear, index: Tensor, dim: int = 0) -> nn.Linear:
    """The layer with only the rows (``dim=0``) or columns ``index``."""
    weight = layer.weight.index_select(dim, index.to(layer.weight.device)).detach().clone()
    pruned = nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None).to(weight)
    with torch.no_grad():
        pruned.weight.copy_(weight)
        if layer.bias is not None:
            pruned.bias.copy_(layer.bias[index] if dim == 0 else layer.bias)
    return pruned


def isin_mps_friendly(elements: Tensor, test_elements: Tensor | int) -> Tensor:
    """``torch.isin``."""
    return torch.isin(elements, torch.as_tensor(test_elements, device=elements.device))


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """``torch.meshgrid`` with matrix indexing unless told otherwise."""
    return torch.meshgrid(*tensors, indexing=indexing or "ij")


def softmax_backward_data(parent: Any, grad_output: Tensor, output: Tensor) -> Tensor:
    """The gradient of a softmax over the last dimension, or over ``parent.dim``."""
    dim = getattr(parent, "dim", -1)
    return output * (grad_output - (grad_output * output).sum(dim, keepdim=True))


def _flash_attention_forward(*args: Any, **kwargs: Any) -> Any:
    """Kernels for accelerators do not run in the sandbox: raises ``ImportError``."""
    raise ImportError("flash attention is not available; use attn_implementation='sdpa' or 'eager'")


def make_flex_block_causal_mask(*args: Any, **kwargs: Any) -> Any:
    """Flex attention needs a compiler, which the sandbox has not: raises ``ImportError``."""
    raise ImportError("flex attention is not available; use attn_implementation='sdpa' or 'eager'")


class BlockMask:
    """Stands for the masks of flex attention in annotations and ``isinstance``; there are none."""
