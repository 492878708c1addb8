"""Layers of Grounding DINO: image and text look at each other, then each at itself."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.nn.attention import AttentionCore
from zoo_core.nn.drop_path import DropPath, LayerScale
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import CROSS_ATTENTIONS, record
from zoo_vision.detr.model import PlacedAttention
from zoo_vision.nn.deformable import DeformableAttention, DeformableEncoderLayer, FeatureLevels


def _projections(part: str, name: str) -> dict[str, str]:
    """Names of the projections of an attention that files call `name`."""
    names = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "out_proj"}
    return {f"{part}.{ours}": f"{name}.{theirs}" for ours, theirs in names.items()}


class FusionAttention(AttentionCore):
    """Cells look at tokens, and tokens at cells (https://arxiv.org/abs/2112.03857, section 3.3).

    Both directions compare the same projections; the values have projections of their own.
    """

    def __init__(self, size: int, inner: int, heads: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        if inner % heads:
            raise ValueError(f"{heads} heads do not divide the width {inner}")
        self.head_dim, self.dropout = inner // heads, dropout
        self.scale = self.head_dim**-0.5
        self.vision_proj, self.text_proj = Linear(size, inner), Linear(size, inner)
        self.values_vision_proj, self.values_text_proj = Linear(size, inner), Linear(size, inner)
        self.out_vision_proj, self.out_text_proj = Linear(inner, size), Linear(inner, size)

    def reset_parameters(self) -> None:
        for part in self.children():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)

    def forward(  # type: ignore[override]
        self, vision: Tensor, text: Tensor, inside: Tensor | None, text_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What cells (batch, cells, size) hear from tokens (batch, sequence, size), and the reverse.

        `inside` (batch, cells) and `text_mask` (batch, sequence) are False in padding.
        """
        cells, tokens = self.split(self.vision_proj(vision)), self.split(self.text_proj(text))
        cell_values = self.split(self.values_vision_proj(vision))
        token_values = self.split(self.values_text_proj(text))
        told = self.look(cells, tokens, token_values, text_mask)
        seen = self.look(tokens, cells, cell_values, inside)
        return self.out_vision_proj(told), self.out_text_proj(seen)

    def split(self, x: Tensor) -> Tensor:
        """(batch, length, inner) to (batch, heads, length, head_dim)."""
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)

    def look(self, query: Tensor, key: Tensor, value: Tensor, kept: Tensor | None) -> Tensor:
        """(batch, queries, inner): what queries find at the keys that are `kept` (batch, keys)."""
        mask = Mask() if kept is None else Mask(allowed=kept[:, None, None])
        found, weights = self.weigh(query, key, value, mask, name=CROSS_ATTENTIONS)
        record(CROSS_ATTENTIONS, None if weights is None else weights.flatten(0, 1))
        return found.transpose(1, 2).flatten(2)


class FusionLayer(nn.Module):
    """Both sides are normalised, look at each other, and take a little of what they find."""

    hub_names: HubNames = {"vision_scale.weight": "vision_param", "text_scale.weight": "text_param"}

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        size, inner, eps = config.d_model, config.encoder_ffn_dim // 2, config.layer_norm_eps
        self.layer_norm_vision, self.layer_norm_text = (nn.LayerNorm(size, eps=eps) for _ in range(2))
        heads = config.encoder_attention_heads // 2
        self.attn = FusionAttention(size, inner, heads, dropout=config.fusion_dropout)
        self.drop_path = DropPath(config.fusion_droppath)
        self.vision_scale, self.text_scale = LayerScale(size, 1e-4), LayerScale(size, 1e-4)

    def forward(
        self, vision: Tensor, text: Tensor, inside: Tensor | None, text_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `FusionAttention`."""
        vision, text = self.layer_norm_vision(vision), self.layer_norm_text(text)
        told, seen = self.attn(vision, text, inside, text_mask)
        vision = vision + self.drop_path(self.vision_scale(told))
        return vision, text + self.drop_path(self.text_scale(seen))


class TextEnhancerLayer(PostNormLayer):
    """Tokens of one phrase look at each other; then a feed-forward block."""

    hub_names: HubNames = {
        **_projections("self_attn", "self_attn"),
        "self_attn_layer_norm": "layer_norm_before",
        "mlp.fc1": "fc1",
        "mlp.fc2": "fc2",
        "final_layer_norm": "layer_norm_after",
    }

    def __init__(self, config: PretrainedConfig) -> None:
        size, heads = config.d_model, config.encoder_attention_heads // 2
        dropout = config.text_enhancer_dropout
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=PlacedAttention(size, heads, dropout=config.attention_dropout),
            mlp=MLP(
                size, config.encoder_ffn_dim // 2, config.activation_function, activation_dropout=dropout
            ),
            dropout=dropout,
        )


class GroundingDinoEncoderLayer(nn.Module):
    """Fusion, then a layer over the tokens, and one over the cells of all maps."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.fusion_layer = FusionLayer(config)
        self.text_enhancer_layer = TextEnhancerLayer(config)
        self.deformable_layer = DeformableEncoderLayer(
            config.d_model,
            config.encoder_attention_heads,
            config.encoder_ffn_dim,
            levels=config.num_feature_levels,
            points=config.encoder_n_points,
            act=config.activation_function,
            dropout=config.dropout,
            activation_dropout=config.activation_dropout,
            eps=config.layer_norm_eps,
        )

    def forward(
        self,
        maps: FeatureLevels,
        text: Tensor,
        *,
        phrases: AttentionContext,
        text_mask: Tensor,
        text_places: Tensor,
        **cells: Any,
    ) -> tuple[FeatureLevels, Tensor]:
        """New maps and tokens; `cells` are further arguments of the layer over the cells."""
        vision, text = self.fusion_layer(maps.states, text, maps.inside, text_mask)
        text = self.text_enhancer_layer(text, phrases, places=text_places)
        maps = maps.with_states(vision)
        return maps.with_states(self.deformable_layer(maps, **cells)), text


class GroundingDinoDecoderLayer(PostNormLayer):
    """Queries look at each other, at the tokens, and at points of the maps; a feed-forward block."""

    hub_names: HubNames = {
        **BART_LAYER,
        **_projections("self_attn", "self_attn"),
        **_projections("text_attn", "encoder_attn_text"),
        "text_attn_layer_norm": "encoder_attn_text_layer_norm",
    }

    def __init__(self, config: PretrainedConfig) -> None:
        size, heads = config.d_model, config.decoder_attention_heads
        norm = partial(nn.LayerNorm, eps=config.layer_norm_eps)
        super().__init__(
            size,
            norm,
            self_attn=PlacedAttention(size, heads, dropout=config.attention_dropout),
            cross_attn=DeformableAttention(size, heads, config.num_feature_levels, config.decoder_n_points),
            mlp=MLP(
                size,
                config.decoder_ffn_dim,
                config.activation_function,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )
        self.text_attn = PlacedAttention(size, heads, dropout=config.attention_dropout, cross=True)
        self.text_attn_layer_norm = norm(size)

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        maps: FeatureLevels,
        references: Tensor,
        places: Tensor,
    ) -> Tensor:
        """(batch, queries, hidden) to the same shape; `context` has the tokens."""
        assert self.cross_attn is not None and self.cross_attn_layer_norm is not None
        attended = self.self_attn(hidden, context, places=places)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended))
        told = self.text_attn(hidden, context, places=places)
        hidden = self.text_attn_layer_norm(hidden + self.dropout(told))
        seen = self.cross_attn(hidden, maps, references, places=places)
        hidden = self.cross_attn_layer_norm(hidden + self.dropout(seen))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))
