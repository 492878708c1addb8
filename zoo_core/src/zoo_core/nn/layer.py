"""Transformer layers: the same parts, wired by where the norms stand.

Every layer takes `self_attn` and `mlp` as built parts, and optionally `cross_attn`; extra keyword
arguments of forward go to self-attention.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.nn.dropout import Dropout
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import NormFactory


class PreNormLayer(nn.Module):
    """x + attn(norm(x)), then x + mlp(norm(x)) (Llama, GPT-2, ViT, CLIP)."""

    cross_attn: nn.Module | None

    def __init__(
        self,
        size: int,
        norm: NormFactory,
        *,
        self_attn: nn.Module,
        mlp: nn.Module,
        cross_attn: nn.Module | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.self_attn, self.mlp, self.cross_attn = self_attn, mlp, cross_attn
        self.input_layernorm = norm(size)
        self.post_attention_layernorm = norm(size)
        self.cross_attn_layernorm = None if cross_attn is None else norm(size)
        self.dropout = Dropout(dropout)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = hidden + self.dropout(self.self_attn(self.input_layernorm(hidden), context, **attention))
        if self.cross_attn is not None and self.cross_attn_layernorm is not None and has_source(context):
            hidden = hidden + self.dropout(self.cross_attn(self.cross_attn_layernorm(hidden), context))
        return hidden + self.dropout(self.mlp(self.post_attention_layernorm(hidden)))


class PostNormLayer(nn.Module):
    """norm(x + attn(x)), then norm(x + mlp(x)), as in the original Transformer (BERT, BART)."""

    cross_attn: nn.Module | None

    def __init__(
        self,
        size: int,
        norm: NormFactory,
        *,
        self_attn: nn.Module,
        mlp: nn.Module,
        cross_attn: nn.Module | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.self_attn, self.mlp, self.cross_attn = self_attn, mlp, cross_attn
        self.self_attn_layer_norm = norm(size)
        self.cross_attn_layer_norm = None if cross_attn is None else norm(size)
        self.final_layer_norm = norm(size)
        self.dropout = Dropout(dropout)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = self.self_attn_layer_norm(
            hidden + self.dropout(self.self_attn(hidden, context, **attention))
        )
        if self.cross_attn is not None and self.cross_attn_layer_norm is not None and has_source(context):
            hidden = self.cross_attn_layer_norm(hidden + self.dropout(self.cross_attn(hidden, context)))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))


def has_source(context: AttentionContext) -> bool:
    """Whether there are encoder states to attend to, given or cached."""
    return context.encoder_states is not None or (context.cache is not None and context.cache.has_source)


class SandwichLayer(nn.Module):
    """x + norm(attn(norm(x))), then x + norm(mlp(norm(x))) (Gemma 2, GLM-4)."""

    def __init__(self, size: int, norm: NormFactory, *, self_attn: nn.Module, mlp: nn.Module) -> None:
        super().__init__()
        self.self_attn, self.mlp = self_attn, mlp
        self.input_layernorm = norm(size)
        self.post_attention_layernorm = norm(size)
        self.pre_feedforward_layernorm = norm(size)
        self.post_feedforward_layernorm = norm(size)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        attended = self.self_attn(self.input_layernorm(hidden), context, **attention)
        hidden = hidden + self.post_attention_layernorm(attended)
        changed = self.mlp(self.pre_feedforward_layernorm(hidden))
        return hidden + self.post_feedforward_layernorm(changed)


class BranchNormLayer(nn.Module):
    """x + norm(attn(x)), then x + norm(mlp(x)): norms on the branches only (OLMo 2, EXAONE 4)."""

    def __init__(self, size: int, norm: NormFactory, *, self_attn: nn.Module, mlp: nn.Module) -> None:
        super().__init__()
        self.self_attn, self.mlp = self_attn, mlp
        self.post_attention_layernorm = norm(size)
        self.post_feedforward_layernorm = norm(size)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = hidden + self.post_attention_layernorm(self.self_attn(hidden, context, **attention))
        return hidden + self.post_feedforward_layernorm(self.mlp(hidden))


class ParallelLayer(nn.Module):
    """x + attn(norm(x)) + mlp(norm(x)), with one norm, or one for each branch (GPT-J, GPT-NeoX, Cohere).

    With `two_norms` the second is `post_attention_layernorm`. The branches are added to each other first,
    or to the input one after the other (Cohere, StableLM); it shows in half precision only.
    """

    def __init__(
        self,
        size: int,
        norm: NormFactory,
        *,
        self_attn: nn.Module,
        mlp: nn.Module,
        two_norms: bool = False,
        branches_first: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.self_attn, self.mlp = self_attn, mlp
        self.input_layernorm = norm(size)
        self.post_attention_layernorm = norm(size) if two_norms else None
        self.dropout = Dropout(dropout)
        self.branches_first = branches_first

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        normed = self.input_layernorm(hidden)
        second = normed if self.post_attention_layernorm is None else self.post_attention_layernorm(hidden)
        attended = self.dropout(self.self_attn(normed, context, **attention))
        changed = self.dropout(self.mlp(second))
        return hidden + (attended + changed) if self.branches_first else hidden + attended + changed
