"""XLNet's attention: content, relative position and segment each have a score of their own.

See https://arxiv.org/abs/1901.02860, section 3.3, and https://arxiv.org/abs/1906.08237, sections 2.3 to 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Reshaped, Transposed
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_text.relative_attention import SegmentAttention
from zoo_text.xlnet.config import XLNetConfig


@dataclass(frozen=True)
class View:
    """What the layers of one forward share. K is the memory's length and the sequence's S together.

    distances: (1 or batch, D, hidden) sinusoids of the distances that occur, largest first.
    index: (S, K) which of them lies between a token and a key.
    content, query: (1 or batch, 1, S, K) bool, what either stream may see; None for everything.
    other_segment: (batch, 1, S, K) bool, None without segments.
    mapping: (batch, targets, S) the weight of each position in each prediction, None with one stream only.
    """

    distances: Tensor
    index: Tensor
    content: Tensor | None
    query: Tensor | None
    other_segment: Tensor | None = None
    mapping: Tensor | None = None
    cache: Cache | None = None
    remembered: int = 0


class XLNetAttention(SegmentAttention):
    """Attention of a stream of states to the content."""

    def read(self, source: Tensor, view: View) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values (batch, heads, K, width) of memory and content, and keys of the distances."""
        key, value = self.split(self.k_proj(source)), self.split(self.v_proj(source))
        if view.cache is not None and self.layer_idx is not None:
            key, value = view.cache.attention(self.layer_idx).update(key, value)
            first = key.shape[2] - view.index.shape[1]
            key, value = key[:, :, first:], value[:, :, first:]
        return key, value, self.split(self.r_proj(view.distances))

    def look(
        self,
        stream: Tensor,
        read: tuple[Tensor, Tensor, Tensor],
        view: View,
        *,
        allowed: Tensor | None,
        mapping: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """What a stream (batch, S or with a mapping targets, hidden) takes from keys and values."""
        key, value, relative = read
        query = self.split(self.q_proj(stream))
        if mapping is not None:
            query = torch.einsum("bhtd,bts->bhsd", query, mapping)
        bias = self.position_scores(query, relative, view.index)
        if view.other_segment is not None:
            bias = bias + self.segment_scores(query, view.other_segment)
        bias = bias * self.scale
        if allowed is not None:  # the lowest number, not -inf: a query that may see nothing averages all
            bias = bias.masked_fill(~allowed, torch.finfo(bias.dtype).min)
        content = query + self.content_bias[:, None]
        attended, weights = self.weigh(content, key, value, Mask(), bias=bias, head_mask=head_mask)
        if mapping is not None:
            attended = torch.einsum("bhsd,bts->bhtd", attended, mapping)
        return self.merge(attended), weights


class XLNetLayer(PostNormLayer):
    """Attention and a feed-forward block, applied to both streams; both read the content."""

    def __init__(self, config: XLNetConfig, layer_idx: int) -> None:
        super().__init__(
            config.d_model,
            lambda size: nn.LayerNorm(size, eps=config.layer_norm_eps),
            self_attn=XLNetAttention(
                config.d_model, config.n_head, bias=False, dropout=config.dropout, layer_idx=layer_idx
            ),
            mlp=MLP(config.d_model, config.d_inner, config.ff_activation, activation_dropout=config.dropout),
            dropout=config.dropout,
        )
        shape = (config.d_model, config.n_head, -1)
        self.hub_names = {
            "self_attn": "rel_attn",
            **{
                f"self_attn.{part}_proj.weight": Transposed(Reshaped(f"rel_attn.{part}", shape))
                for part in "qkvr"
            },
            "self_attn.o_proj.weight": Reshaped("rel_attn.o", shape),
            "self_attn.content_bias": "rel_attn.r_w_bias",
            "self_attn.position_bias": "rel_attn.r_r_bias",
            "self_attn.segment_bias": "rel_attn.r_s_bias",
            "self_attn.segment_embed": "rel_attn.seg_embed",
            "self_attn_layer_norm": "rel_attn.layer_norm",
            "mlp.fc1": "ff.layer_1",
            "mlp.fc2": "ff.layer_2",
            "final_layer_norm": "ff.layer_norm",
        }

    def forward(  # type: ignore[override]
        self,
        content: Tensor,
        query: Tensor | None,
        view: View,
        *,
        memory: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Both streams (batch, S or targets, hidden); memory (batch, M, hidden) goes before the content."""
        attention = self.self_attn
        assert isinstance(attention, XLNetAttention)
        read = attention.read(content if memory is None else torch.cat((memory, content), dim=1), view)
        taken, weights = attention.look(content, read, view, allowed=view.content, head_mask=head_mask)
        changed = self.finish(content, taken)
        if query is None:
            record(ATTENTIONS, weights)
            return changed, None
        taken, query_weights = attention.look(
            query, read, view, allowed=view.query, mapping=view.mapping, head_mask=head_mask
        )
        if weights is not None and query_weights is not None:
            record(ATTENTIONS, (weights, query_weights))
        return changed, self.finish(query, taken)

    def finish(self, stream: Tensor, taken: Tensor) -> Tensor:
        """The stream with what its tokens took from others, after the feed-forward block."""
        stream = self.self_attn_layer_norm(stream + self.dropout(taken))
        return self.final_layer_norm(stream + self.dropout(self.mlp(stream)))
