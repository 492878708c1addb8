"""Configuration of SqueezeBERT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class SqueezeBertConfig(PretrainedConfig):
    """Sizes and switches of a SqueezeBERT; `*_groups` are the blocks into which a layer's map falls."""

    model_type = "squeezebert"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    embedding_size: int = 768
    q_groups: int = 4
    k_groups: int = 4
    v_groups: int = 4
    post_attention_groups: int = 1
    intermediate_groups: int = 4
    output_groups: int = 4

    def check(self) -> Iterator[tuple[str, str]]:
        if self.embedding_size != self.hidden_size:
            yield "embedding_size", f"must be hidden_size ({self.hidden_size})"
        for name in ("q", "k", "v", "post_attention", "intermediate", "output"):
            if self.hidden_size % getattr(self, f"{name}_groups"):
                yield f"{name}_groups", f"must divide hidden_size ({self.hidden_size})"
