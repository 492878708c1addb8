"""BLT: a transformer over patches of bytes, between two small ones over bytes."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import attention_of, gated_mlp_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPast
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache, Slot
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.recording import HIDDEN_STATES, record, unrecorded
from zoo_core.nn.rotary import RotaryTables
from zoo_text.blt.config import BltConfig, BltLocalEncoderConfig, BltPartConfig
from zoo_text.blt.patches import PRIMES, entropies, group_hashes, patch_maxima, patch_starts


class CrossAttention(nn.Module):
    """2 x + attention of norm(x) to norm(states): the residual counts twice."""

    hub_names = {"attention": ""}

    def __init__(self, config: BltPartConfig) -> None:
        super().__init__()
        self.q_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.k_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.attention = Attention(
            config.hidden_size,
            config.num_attention_heads,
            num_kv_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            bias=False,
            cross=True,
        )

    def forward(self, x: Tensor, states: Tensor, own: Tensor) -> Tensor:
        """`own` (batch, positions of x, positions of states) bool says what may be seen."""
        context = AttentionContext(x, encoder_states=self.k_norm(states), encoder_padding=own)
        return x + (x + self.attention(self.q_norm(x), context))


class Layers(nn.Module):
    """Pre-norm layers with rotary positions, the base of the four transformers."""

    def __init__(self, config: BltPartConfig) -> None:
        super().__init__()
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        self.layers = nn.ModuleList(
            PreNormLayer(
                config.hidden_size,
                norm,
                self_attn=attention_of(config, i, dropout=config.dropout),
                mlp=gated_mlp_of(config),
            )
            for i in range(config.num_hidden_layers)
        )
        self.rotary = rotary_of(config, interleaved=True)

    def tables(self, hidden: Tensor, positions: Tensor) -> RotaryTables:
        return self.rotary(positions, dtype=hidden.dtype, length=hidden.shape[1])

    def run(self, hidden: Tensor, context: AttentionContext, positions: Tensor) -> Tensor:
        """The states after all layers."""
        rotary = self.tables(hidden, positions)
        for layer in self.layers:
            hidden = layer(hidden, context, rotary=rotary)
        return hidden


class Patcher(Layers):
    """A small byte language model."""

    def __init__(self, config: BltPartConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def forward(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        """The entropy of the byte after each, (batch, sequence); padding before a row is not seen."""
        hidden = self.embed_tokens(input_ids)
        hidden = self.run(hidden, AttentionContext(hidden, positions >= 0), positions)
        return entropies(self.lm_head(self.norm(hidden)))


class LocalLayers(Layers):
    """Layers over bytes, and what patches and bytes ask of each other."""

    def __init__(self, config: BltLocalEncoderConfig, patch_width: int) -> None:
        super().__init__(config)
        self.width = config.hidden_size
        self.patch_embedding_projection = nn.Linear(
            patch_width, config.hidden_size * config.cross_attn_k, bias=False
        )
        count = config.num_hidden_layers if config.cross_attn_all_layers else 1
        self.cross_attn_layers = nn.ModuleList(CrossAttention(config) for _ in range(count))

    def split(self, patches: Tensor, patch_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Patches (batch, P, width) as k vectors each, (batch, P x k, hidden), and whose byte is whose.

        The latter is (batch, bytes, P x k) bool, from `patch_ids` (batch, bytes).
        """
        vectors = self.patch_embedding_projection(patches).unflatten(-1, (-1, self.width))
        owner = torch.arange(patches.shape[1], device=patches.device).repeat_interleave(vectors.shape[2])
        return vectors.flatten(1, 2), patch_ids[..., None] == owner


class LocalEncoder(LocalLayers):
    """Makes patches: each asks its bytes, starting from their maxima."""

    def __init__(self, config: BltLocalEncoderConfig) -> None:
        super().__init__(config, config.hidden_size)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)

    def forward(
        self, hidden: Tensor, context: AttentionContext, positions: Tensor, patch_ids: Tensor, count: int
    ) -> tuple[Tensor, Tensor]:
        """States of bytes (batch, sequence, hidden) and of patches (batch, count, k x hidden)."""
        hidden = self.run(hidden, context, positions)
        queries, own = self.split(patch_maxima(hidden, patch_ids, count), patch_ids)
        asked = self.cross_attn_layers[-1](queries, hidden, own.transpose(1, 2))
        return hidden, asked.unflatten(1, (count, -1)).flatten(2)


class GlobalTransformer(Layers):
    """Causal layers over patches."""

    def __init__(self, config: BltPartConfig) -> None:
        super().__init__(config)
        given, size = config.encoder_cross_output_size, config.hidden_size
        self.token_embedding_projection = (
            nn.Identity() if given is None else nn.Linear(given, size, bias=False)
        )

    def forward(self, patches: Tensor) -> Tensor:
        """(batch, patches, k x hidden of the encoder) to (batch, patches, hidden)."""
        hidden = self.token_embedding_projection(patches)
        positions = torch.arange(hidden.shape[1], device=hidden.device)
        return self.run(hidden, AttentionContext(hidden), positions)


class LocalDecoder(LocalLayers):
    """Reads patches: each byte asks the last one that ends before the byte to come."""

    def __init__(self, config: BltLocalEncoderConfig) -> None:
        super().__init__(config, config.hidden_size_global)
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self, hidden: Tensor, context: AttentionContext, positions: Tensor, patches: Tensor, patch_ids: Tensor
    ) -> Tensor:
        rotary = self.tables(hidden, positions)
        states, own = self.split(patches, patch_ids)
        for i, layer in enumerate(self.layers):
            if i < len(self.cross_attn_layers):
                hidden = self.cross_attn_layers[i](hidden, states, own)
            if i == 0:
                record(HIDDEN_STATES, hidden)
            hidden = layer(hidden, context, rotary=rotary)
            if i + 1 < len(self.layers):
                record(HIDDEN_STATES, hidden)
        hidden = self.norm(hidden)
        record(HIDDEN_STATES, hidden)
        return hidden


class BytesSlot(Slot):
    """The bytes of earlier calls: patches end where later bytes say so, so all is computed anew."""

    def __init__(self) -> None:
        self.ids: Tensor | None = None

    def append(self, ids: Tensor) -> Tensor:
        self.ids = ids if self.ids is None else torch.cat((self.ids, ids), dim=1)
        self.seen = self.ids.shape[1]
        return self.ids

    def crop(self, length: int) -> None:
        self.ids = None if self.ids is None else self.ids[:, :length]
        self.seen = min(self.seen, length)

    def reset(self) -> None:
        super().reset()
        self.ids = None


class BltPreTrainedModel(PreTrainedModel):
    """What all BLT classes share."""

    config_class = BltConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = False


class BltModel(BltPreTrainedModel):
    """The model without a head."""

    def __init__(self, config: BltConfig) -> None:
        super().__init__(config)
        self.local_encoder = LocalEncoder(config.encoder_config)
        self.global_transformer = GlobalTransformer(config.global_config)
        self.local_decoder = LocalDecoder(config.decoder_config)
        tables = config.encoder_hash_byte_group_nb_functions * len(config.encoder_hash_byte_group_size)
        self.encoder_hash_tok_embedding = nn.Embedding(
            config.encoder_hash_byte_group_vocab * tables, config.encoder_config.hidden_size
        )
        self.patcher = Patcher(config.patcher_config) if config.patch_in_forward else None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.local_encoder.embed_tokens

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPast:
        """Bytes (batch, sequence) to states (batch, sequence, hidden).

        Positions count from each row's first byte that is not padding. `attention_mask` (batch, sequence)
        covers cached bytes as well.

        Raises:
            ValueError: vectors instead of bytes; patches are made of bytes.
        """
        if input_ids is None:
            raise ValueError("BLT needs input_ids: it hashes and patches bytes, which inputs_embeds hide")
        cache, new = self.cache_for(past_key_values, use_cache), input_ids.shape[1]
        if cache is not None:
            input_ids = cache.slot("state", 0, BytesSlot).append(input_ids)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        positions = (mask.cumsum(-1) > 0).cumsum(-1) - 1
        hidden = self.embed(input_ids * (positions >= 0))
        with unrecorded():
            starts = self.starts(input_ids, positions)
            ids = starts.cumsum(-1) - 1
            context = AttentionContext(hidden, mask)
            hidden, patches = self.local_encoder(hidden, context, positions, ids[:, :-1], int(ids.max()) + 1)
            patches = self.global_transformer(patches)
        hidden = self.local_decoder(hidden, context, positions, patches, ids[:, 1:] - 1)
        return BaseModelOutputWithPast(last_hidden_state=hidden[:, -new:], past_key_values=cache)

    def starts(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        """Where patches begin, see `patch_starts`."""
        config, surprise = self.config, None
        if self.patcher is not None and config.patching_mode == "entropy":
            with torch.no_grad():
                surprise = self.patcher(input_ids, positions)
        threshold, longest = config.patching_threshold, config.max_patch_length
        return patch_starts(surprise, positions, threshold=threshold, longest=longest)

    def embed(self, input_ids: Tensor) -> Tensor:
        """Each byte's embedding and those of the groups of bytes that end with it, by their hashes."""
        config = self.config
        buckets = config.encoder_hash_byte_group_vocab
        hidden = self.local_encoder.embed_tokens(input_ids)
        first = 0
        for function in range(config.encoder_hash_byte_group_nb_functions):
            for size in config.encoder_hash_byte_group_size:
                hashes = group_hashes(input_ids, size, PRIMES[function % len(PRIMES)], buckets)
                hidden = hidden + self.encoder_hash_tok_embedding(hashes + first)
                first += buckets
        return hidden


class BltForCausalLM(ForCausalLM, BltPreTrainedModel):
    """BLT with a language modeling head."""

    base_class = BltModel
    tied_weights = {"lm_head.weight": "model.local_encoder.embed_tokens.weight"}

    def make_lm_head(self, config: BltConfig) -> nn.Module:
        return nn.Linear(config.decoder_config.hidden_size, config.vocab_size, bias=False)
