"""What latents, and the queries of the output, attend with."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.nn.attention import AttentionCore
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import FULL, AttentionContext, Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary import RotaryTables
from zoo_multimodal.perceiver.config import PerceiverConfig


class PerceiverAttention(AttentionCore):
    """Attention with widths of its own for queries, keys and values.

    Args:
        size: width of the queries' side. source_size: width of what they attend to, None for themselves.
        qk_channels, v_channels: widths of all heads together.
    """

    source_norm: nn.LayerNorm | None

    def __init__(
        self,
        size: int,
        num_heads: int,
        *,
        source_size: int | None,
        qk_channels: int,
        v_channels: int,
        out_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        for name, channels in (("qk_channels", qk_channels), ("v_channels", v_channels)):
            if channels % num_heads:
                raise ValueError(f"{name} ({channels}) must be divisible by num_heads ({num_heads}).")
        self.num_heads, self.dropout, self.cross = num_heads, dropout, source_size is not None
        self.scale = (qk_channels // num_heads) ** -0.5
        keys = size if source_size is None else source_size
        self.norm = nn.LayerNorm(size)
        self.source_norm = None if source_size is None else nn.LayerNorm(source_size)
        self.q_proj = Linear(size, qk_channels)
        self.k_proj = Linear(keys, qk_channels)
        self.v_proj = Linear(keys, v_channels)
        self.o_proj = Linear(v_channels, out_size)

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        hidden = self.norm(hidden)
        source, mask = hidden, context.mask(FULL, hidden.shape[1])
        if self.source_norm is not None:
            source, mask = self.source_norm(context.encoder_states), context.cross_mask()
        projected = self.q_proj(hidden), self.k_proj(source), self.v_proj(source)
        query, key, value = (x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for x in projected)
        return query, key, value, mask


class PerceiverLayer(nn.Module):
    """x + attn(norm(x)), then x + mlp(norm(x)); without `query_residual` the first x is left out.

    With `source_size` the queries attend to `context.encoder_states` of that width.
    """

    hub_names = {
        "attention": "attention.self",
        "attention.norm": "attention.self.layernorm1",
        "attention.source_norm": "attention.self.layernorm2",
        "attention.q_proj": "attention.self.query",
        "attention.k_proj": "attention.self.key",
        "attention.v_proj": "attention.self.value",
        "attention.o_proj": "attention.output.dense",
        "norm": "layernorm",
        "mlp.fc1": "mlp.dense1",
        "mlp.fc2": "mlp.dense2",
    }

    def __init__(
        self,
        config: PerceiverConfig,
        size: int,
        num_heads: int,
        *,
        source_size: int | None = None,
        qk_channels: int | None = None,
        v_channels: int | None = None,
        widening: int = 4,
        query_residual: bool = True,
    ) -> None:
        super().__init__()
        cross = source_size is not None
        if qk_channels is None:
            wide = cross and config.cross_attention_shape_for_attention == "kv"
            qk_channels = source_size if wide else size
        v_channels = v_channels or qk_channels
        self.query_residual = query_residual
        out_size = size if cross else v_channels
        self.attention = PerceiverAttention(
            size,
            num_heads,
            source_size=source_size,
            qk_channels=qk_channels,
            v_channels=v_channels,
            out_size=out_size,
            dropout=config.attention_probs_dropout_prob,
        )
        self.norm = nn.LayerNorm(out_size)
        self.mlp = MLP(out_size, out_size * widening, config.hidden_act)

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, head_mask: Tensor | None = None
    ) -> Tensor:
        """(batch, queries, size) to the same shape."""
        attended = self.attention(hidden, context, head_mask=head_mask)
        hidden = hidden + attended if self.query_residual else attended
        return hidden + self.mlp(self.norm(hidden))
