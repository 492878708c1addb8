"""Configuration of Mega."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig

CHOICES = {
    "normalization_type": ("scalenorm", "layernorm", "rmsnorm", "batchnorm", "syncbatchnorm"),
    "attention_activation": ("softmax", "laplace", "relu2"),
    "relative_positional_bias": ("rotary", "simple"),
}


class MegaConfig(PretrainedConfig):
    """Sizes and switches of a Mega.

    intermediate_size: width of the values. shared_representation_size: of queries and keys.
    ema_projection_size: moving averages of each feature. bidirectional: they read from both sides.
    truncation: the distance after which a moving average forgets. use_chunking, chunk_size: attention within
    chunks of so many tokens. attention_activation: "softmax", or "laplace" or "relu2" of each score alone.
    relative_positional_bias: "rotary", or "simple", one number for each distance up to max_positions.
    use_feature_dropout: dropout leaves whole features out.
    """

    model_type = "mega"

    vocab_size: int = 30522
    hidden_size: int = 128
    num_hidden_layers: int = 4
    intermediate_size: int = 256
    ema_projection_size: int = 16
    bidirectional: bool = True
    shared_representation_size: int = 64
    use_chunking: bool = False
    chunk_size: int = -1
    truncation: int | None = None
    normalize_before_mega: bool = True
    normalization_type: str = "scalenorm"
    norm_affine: bool = True
    activation: str = "silu"
    attention_activation: str = "softmax"
    dropout_prob: float = 0.1
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    use_feature_dropout: bool = False
    use_normalized_ffn: bool = True
    nffn_hidden_size: int = 256
    normalize_before_ffn: bool = True
    nffn_activation_dropout_prob: float = 0.1
    max_positions: int = 2048
    add_token_type_embeddings: bool = False
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    ema_delta_alpha_range: float = 0.2
    ema_beta_range: float = 0.02
    ema_gamma_omega_range: float = 1.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    relative_positional_bias: str = "rotary"
    classifier_dropout: float | None = None
    use_cache: bool = True
    add_lm_hidden_dense_layer: bool = True
    num_attention_heads: int = 1

    @property
    def chunk(self) -> int | None:
        """Tokens of a chunk, None without chunks."""
        return self.chunk_size if self.use_chunking else None

    def check(self) -> Iterator[tuple[str, str]]:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                yield name, f"must be one of {', '.join(known)}"
        if self.use_chunking and self.chunk_size < 1:
            yield "chunk_size", "must be 1 or more where use_chunking is set"
        if self.shared_representation_size % 2:
            yield "shared_representation_size", "must be even"
