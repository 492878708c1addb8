"""Configuration of Reformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig
from zoo_core.config.fields import field


class ReformerConfig(PretrainedConfig):
    """Sizes and switches of a Reformer.

    `attn_layers` names each layer's attention, "local" or "lsh"; `{local,lsh}_attn_chunk_length` positions
    make a chunk, which sees `..._num_chunks_before` and `..._num_chunks_after` neighbours. `num_buckets` is
    a number, or its factors, or None: derived from the length. With a `hash_seed` all calls hash alike.
    """

    model_type = "reformer"

    attention_head_size: int = 64
    attn_layers: list[str] = field(["local", "lsh", "local", "lsh", "local", "lsh"])
    axial_norm_std: float = 1.0
    axial_pos_embds: bool = True
    axial_pos_shape: list[int] = field([64, 64])
    axial_pos_embds_dim: list[int] = field([64, 192])
    chunk_size_lm_head: int = 0
    eos_token_id: int | list[int] | None = 2
    feed_forward_size: int = 512
    hash_seed: int | None = None
    hidden_act: str = "relu"
    hidden_dropout_prob: float = 0.05
    hidden_size: int = 256
    initializer_range: float = 0.02
    is_decoder: bool = False
    layer_norm_eps: float = 1e-12
    local_num_chunks_before: int | None = 1
    local_num_chunks_after: int | None = 0
    local_attention_probs_dropout_prob: float | None = 0.05
    local_attn_chunk_length: int | None = 64
    lsh_attn_chunk_length: int | None = 64
    lsh_attention_probs_dropout_prob: float | None = 0.0
    lsh_num_chunks_before: int | None = 1
    lsh_num_chunks_after: int | None = 0
    max_position_embeddings: int = 4096
    num_attention_heads: int = 12
    num_buckets: int | list[int] | None = None
    num_hashes: int = 1
    pad_token_id: int | None = 0
    vocab_size: int = 320
    tie_word_embeddings: bool = False
    use_cache: bool = True
    classifier_dropout: float | None = None

    @property
    def num_hidden_layers(self) -> int:
        """The number of `attn_layers`."""
        return len(self.attn_layers)

    def check(self) -> Iterator[tuple[str, str]]:
        if any(kind not in ("local", "lsh") for kind in self.attn_layers):
            yield "attn_layers", 'its entries must be "local" or "lsh"'
        for kind in sorted({"local", "lsh"}.intersection(self.attn_layers)):
            if not getattr(self, f"{kind}_attn_chunk_length"):
                yield f"{kind}_attn_chunk_length", f'must be positive: attn_layers has "{kind}"'
        if self.axial_pos_embds and sum(self.axial_pos_embds_dim) != self.hidden_size:
            yield "axial_pos_embds_dim", f"must add up to hidden_size ({self.hidden_size})"
        if self.axial_pos_embds and len(self.axial_pos_embds_dim) != len(self.axial_pos_shape):
            yield "axial_pos_embds_dim", "must be as long as axial_pos_shape"
        factors = self.num_buckets if isinstance(self.num_buckets, list) else [self.num_buckets or 2]
        if any(factor <= 0 or factor % 2 for factor in factors):
            yield "num_buckets", "must be even: a rotation and its negative make two buckets"
