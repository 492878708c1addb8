"""Configuration of VisualBERT."""

from __future__ import annotations

from typing import ClassVar

from zoo_core.config import PretrainedConfig


class VisualBertConfig(PretrainedConfig):
    """Sizes and switches of a VisualBERT.

    Args:
        visual_embedding_dim: width of the features of a region.
        bypass_transformer: regions join the text in one more layer at the end, not before all.
        special_visual_initialize: tables of the regions begin as those of the text.
    """

    model_type = "visual_bert"
    position_embedding_type: ClassVar[str] = "absolute"

    vocab_size: int = 30522
    hidden_size: int = 768
    visual_embedding_dim: int = 512
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
    bypass_transformer: bool = False
    special_visual_initialize: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
