"""GPT-2 and the models of its time: positions and token types are added to the embeddings."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import GPT2_LAYER
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.outputs import BaseModelOutputWithPastAndCrossAttentions, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryEmbedding


class GPTBody(DecoderModel):
    """Embeddings of tokens, token types (from the same table) and positions, layers, a final norm."""

    output_class = BaseModelOutputWithPastAndCrossAttentions

    def make_embeddings(self, config: PretrainedConfig) -> None:
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_positions = self.make_positions(config)
        self.dropout = nn.Dropout(getattr(config, "embd_pdrop", 0.0))

    def make_positions(self, config: PretrainedConfig) -> nn.Module | None:
        """What is called as positions(position_ids, past, hidden) and added; None without."""
        return LearnedPositions(config.max_position_embeddings, config.hidden_size)

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_epsilon)

    def make_rotary(self, config: PretrainedConfig) -> dict[str, RotaryEmbedding]:
        return {}

    def embed_ids(self, ids: Tensor | None, vectors: Tensor | None) -> Tensor:
        """Token embeddings, before anything is added."""
        return embed(self.embed_tokens, ids, vectors)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden)."""
        hidden = self.embed_ids(input_ids, inputs_embeds)
        cache = self.cache_for(past_key_values, use_cache)
        if self.embed_positions is not None:
            hidden = hidden + self.embed_positions(position_ids, 0 if cache is None else cache.length, hidden)
        if token_type_ids is not None:
            hidden = hidden + self.embed_ids(token_type_ids, None)
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        return self.run(self.dropout(hidden), context, position_ids, **inputs)


class GPTLayer(PreNormLayer):
    """Self-attention, cross-attention in a decoder that has it, and a feed-forward block.

    `root` divides the scores, by default the square root of a head's width.
    """

    hub_names = GPT2_LAYER

    def __init__(self, config: Any, layer_idx: int, norm: NormFactory, *, root: float | None = None) -> None:
        size, heads = config.n_embd, config.n_head
        scale = 1 / (root or (size // heads) ** 0.5) if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            scale /= layer_idx + 1
        attention = partial(
            Attention, size, heads, scale=scale, dropout=config.attn_pdrop, layer_idx=layer_idx
        )
        super().__init__(
            size,
            norm,
            self_attn=attention(rule=CAUSAL),
            cross_attn=attention(cross=True) if config.add_cross_attention else None,
            mlp=MLP(size, config.n_inner or 4 * size, config.activation_function),
            dropout=config.resid_pdrop,
        )
