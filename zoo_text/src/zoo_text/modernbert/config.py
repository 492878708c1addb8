"""Configuration of ModernBERT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class ModernBertLikeConfig(PretrainedConfig):
    """The fields of ModernBERT and of its decoder, with ModernBERT-base's values."""

    attribute_map = {"rope_theta": "global_rope_theta"}

    vocab_size: int = 50368
    hidden_size: int = 768
    intermediate_size: int = 1152
    num_hidden_layers: int = 22
    num_attention_heads: int = 12
    hidden_activation: str = "gelu"
    max_position_embeddings: int = 8192
    initializer_range: float = 0.02
    initializer_cutoff_factor: float = 2.0
    norm_eps: float = 1e-5
    norm_bias: bool = False
    pad_token_id: int | None = 50283
    eos_token_id: int | list[int] | None = 50282
    bos_token_id: int | None = 50281
    cls_token_id: int | None = 50281
    sep_token_id: int | None = 50282
    global_rope_theta: float = 160000.0
    attention_bias: bool = False
    attention_dropout: float = 0.0
    global_attn_every_n_layers: int = 3
    local_attention: int = 128
    embedding_dropout: float = 0.0
    mlp_bias: bool = False
    mlp_dropout: float = 0.0
    decoder_bias: bool = True
    classifier_dropout: float = 0.0
    classifier_bias: bool = False
    classifier_activation: str = "gelu"


class ModernBertConfig(ModernBertLikeConfig):
    """Sizes and switches of a ModernBERT.

    Every `global_attn_every_n_layers`-th layer sees everything, the others `local_attention` // 2 tokens
    to either side, with a rotary base of their own.
    """

    model_type = "modernbert"

    local_rope_theta: float | None = 10000.0
    classifier_pooling: str = "cls"
    deterministic_flash_attn: bool = False
    sparse_prediction: bool = False
    sparse_pred_ignore_index: int = -100
    reference_compile: bool | None = None
    repad_logits_with_grad: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if self.classifier_pooling not in ("cls", "mean"):
            yield "classifier_pooling", "must be 'cls' or 'mean'"
