"""Configuration of ALBERT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class AlbertConfig(PretrainedConfig):
    """Sizes and switches of an ALBERT; the defaults are those of albert-xxlarge."""

    model_type = "albert"

    vocab_size: int = 30000
    embedding_size: int = 128
    hidden_size: int = 4096
    num_hidden_layers: int = 12
    num_hidden_groups: int = 1
    num_attention_heads: int = 64
    intermediate_size: int = 16384
    inner_group_num: int = 1
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0
    attention_probs_dropout_prob: float = 0
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    classifier_dropout_prob: float = 0.1
    position_embedding_type: str = "absolute"
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 3

    def check(self) -> Iterator[tuple[str, str]]:
        if self.num_hidden_groups < 1 or self.num_hidden_layers % self.num_hidden_groups:
            yield "num_hidden_groups", f"must divide num_hidden_layers ({self.num_hidden_layers})"
