"""The decoder of the KOSMOS models: pre-norm with a norm inside each block (https://arxiv.org/abs/2210.06423)."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.outputs import BaseModelOutputWithPastAndCrossAttentions, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.sinusoid import PaddedSinusoids


class KosmosAttention(Attention):
    """Attention; with `inner_norm` the attended values are normalised before the last map."""

    def __init__(self, config: Any, *, inner_norm: bool, **options: Any) -> None:
        super().__init__(
            config.embed_dim, config.attention_heads, dropout=config.attention_dropout, **options
        )
        norm = nn.LayerNorm(config.embed_dim, eps=config.layer_norm_eps)
        self.inner_norm = norm if inner_norm else None

    def merge(self, attended: Tensor) -> Tensor:
        hidden = attended.transpose(1, 2).flatten(2)
        return self.o_proj(hidden if self.inner_norm is None else self.inner_norm(hidden))


class KosmosMLP(MLP):
    """fc2(norm(act(fc1(x))))."""

    def __init__(self, config: Any) -> None:
        super().__init__(
            config.embed_dim,
            config.ffn_dim,
            config.activation_function,
            activation_dropout=config.activation_dropout,
        )
        self.norm = nn.LayerNorm(config.ffn_dim, eps=config.layer_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.norm(self.activation_dropout(self.act(self.fc1(x)))))


class KosmosLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = {
        "self_attn.o_proj": "self_attn.out_proj",
        "self_attn.inner_norm": "self_attn.inner_attn_ln",
        "input_layernorm": "self_attn_layer_norm",
        "post_attention_layernorm": "final_layer_norm",
        "mlp": "ffn",
        "mlp.norm": "ffn.ffn_layernorm",
    }


class KosmosDecoder(DecoderModel):
    """The decoder without its head; positions count the tokens that are no padding."""

    output_class = BaseModelOutputWithPastAndCrossAttentions
    hub_names: dict[str, str] = {"norm": "layer_norm"}
    inner_norm: ClassVar[bool] = True
    #: whether features of images and tokens have embeddings that tell them apart
    segments: ClassVar[bool] = False

    def make_embeddings(self, config: Any) -> None:
        size, pad = config.embed_dim, config.pad_token_id
        self.embed_tokens = nn.Embedding(config.vocab_size, size, padding_idx=pad)
        self.embed_positions = PaddedSinusoids(config.max_position_embeddings, size, pad)
        self.segment_emb = nn.Embedding(2, size) if self.segments else None
        self.embed_scale = size**0.5 if config.scale_embedding else 1.0
        self.dropout = nn.Dropout(config.dropout)

    def norm_of(self, config: Any) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_eps)

    def make_rotary(self, config: Any) -> dict[str, nn.Module]:
        return {}

    def make_layer(self, config: Any, layer_idx: int) -> nn.Module:
        return KosmosLayer(
            config.embed_dim,
            self.norm_of(config),
            self_attn=KosmosAttention(config, inner_norm=self.inner_norm, rule=CAUSAL, layer_idx=layer_idx),
            mlp=KosmosMLP(config),
            dropout=config.dropout,
        )

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        image_embeds: Tensor | None = None,
        image_places: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden).

        Args:
            position_ids: (batch, sequence) rows of the table of positions: from pad_token_id + 1 on.
            image_embeds: (images, features, hidden), for the places of `image_places` (batch, sequence) that
                hold 1.
        """
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        if image_embeds is not None:
            hidden = placed(hidden, image_embeds, image_places)
        hidden = hidden * self.embed_scale
        table = self.embed_positions
        if position_ids is not None:
            position_ids = position_ids - table.pad - 1
        hidden = hidden + table(input_ids, past, hidden, position_ids=position_ids)
        if self.segment_emb is not None:
            kinds = torch.zeros(hidden.shape[:2], dtype=torch.long, device=hidden.device)
            if image_embeds is not None and image_places is not None:
                kinds = (image_places != 0).long()
            hidden = hidden + self.segment_emb(kinds)
        context = self.make_context(self.dropout(hidden), attention_mask, cache, cache_position)
        return self.run(self.dropout(hidden), context, None, **inputs)


def placed(hidden: Tensor, features: Tensor, places: Tensor | None) -> Tensor:
    """Embeddings (batch, sequence, hidden) with features (images, features, hidden) at `places`."""
    count = 0 if places is None else int((places == 1).sum())
    given = features.shape[:-1].numel()
    if places is None or count != given:
        raise ValueError(
            f"image_embeds_position_mask marks {count} places for {given} features of images; the processor "
            "marks one for each feature of each image, so pass its output unchanged"
        )
    return hidden.masked_scatter((places == 1)[..., None], features.to(hidden.dtype))
