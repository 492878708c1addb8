"""Configuration of ESM."""

from __future__ import annotations

from typing import Any, ClassVar

from zoo_core.config import PretrainedConfig


class EsmConfig(PretrainedConfig):
    """Sizes and switches of an ESM.

    position_embedding_type: "rotary" (ESM-2), "absolute" (ESM-1b) or "relative_key".
    token_dropout: masked tokens are zero, and the others make up for it.
    is_folding_model, esmfold_config, vocab_list: of ESMFold, whose language model this then is.
    """

    model_type = "esm"
    hidden_act: ClassVar[str] = "gelu"

    vocab_size: int | None = None
    mask_token_id: int | None = None
    pad_token_id: int | None = None
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 1026
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    position_embedding_type: str = "absolute"
    use_cache: bool = True
    emb_layer_norm_before: bool | None = None
    token_dropout: bool = False
    is_folding_model: bool = False
    esmfold_config: dict[str, Any] | None = None
    vocab_list: list[str] | None = None
