"""Configuration of MobileBERT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class MobileBertConfig(PretrainedConfig):
    """Sizes and switches of a MobileBERT.

    trigram_input: embeddings of the next and the previous token are joined to a token's own.
    use_bottleneck: layers work at intra_bottleneck_size, which then is true_hidden_size.
    use_bottleneck_attention, key_query_shared_bottleneck: what attention reads, the layer's narrow states or,
    for queries and keys, narrow states of its own. normalization_type: "no_norm" scales and shifts only.
    classifier_activation: the pooler has a layer of its own, rather than the first token's state.
    """

    model_type = "mobilebert"

    vocab_size: int = 30522
    hidden_size: int = 512
    num_hidden_layers: int = 24
    num_attention_heads: int = 4
    intermediate_size: int = 512
    hidden_act: str = "relu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    embedding_size: int = 128
    trigram_input: bool = True
    use_bottleneck: bool = True
    intra_bottleneck_size: int = 128
    use_bottleneck_attention: bool = False
    key_query_shared_bottleneck: bool = True
    num_feedforward_networks: int = 4
    normalization_type: str = "no_norm"
    classifier_activation: bool = True
    classifier_dropout: float | None = None
    true_hidden_size: int | None = None

    def __post_init__(self) -> None:
        self.true_hidden_size = self.intra_bottleneck_size if self.use_bottleneck else self.hidden_size

    def check(self) -> Iterator[tuple[str, str]]:
        if self.normalization_type not in ("no_norm", "layer_norm"):
            yield "normalization_type", "must be 'no_norm' or 'layer_norm'"
        if self.embedding_size > self.hidden_size:
            yield "embedding_size", f"must be at most hidden_size ({self.hidden_size})"
        reads_wide = not (self.use_bottleneck_attention or self.key_query_shared_bottleneck)
        if self.use_bottleneck and reads_wide and self.hidden_size != self.intra_bottleneck_size:
            yield (
                "key_query_shared_bottleneck",
                "must be true, or use_bottleneck_attention, with a bottleneck",
            )
