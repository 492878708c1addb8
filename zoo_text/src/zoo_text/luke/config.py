"""Configuration of LUKE."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class LukeConfig(PretrainedConfig):
    """Sizes and switches of a LUKE.

    entity_vocab_size, entity_emb_size: the table of entities. use_entity_aware_attention: queries of their
    own for each pair of word or entity that looks and word or entity that is seen.
    """

    model_type = "luke"

    vocab_size: int = 50267
    entity_vocab_size: int = 500000
    hidden_size: int = 768
    entity_emb_size: int = 256
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
    use_entity_aware_attention: bool = True
    classifier_dropout: float | None = None
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | None = 2
