"""Configuration of ModernBERT as a decoder."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class ModernBertDecoderConfig(PretrainedConfig):
    """Sizes and switches of a ModernBERT decoder.

    Every `global_attn_every_n_layers`-th layer sees everything, the others a window of half of
    `local_attention`, unless `layer_types` and `sliding_window` say otherwise.
    """

    model_type = "modernbert-decoder"
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
    embedding_dropout: float = 0.0
    mlp_bias: bool = False
    mlp_dropout: float = 0.0
    decoder_bias: bool = True
    classifier_dropout: float = 0.0
    classifier_bias: bool = False
    classifier_activation: str = "gelu"
    use_cache: bool = True
    local_attention: int = 128
    global_attn_every_n_layers: int = 3
    local_rope_theta: float | None = 160000.0
    layer_types: list[str] | None = None
    sliding_window: int | None = None

    def __post_init__(self) -> None:
        if self.sliding_window is None:
            self.sliding_window = self.local_attention // 2
        if self.layer_types is None:
            every = self.global_attn_every_n_layers
            self.layer_types = [
                "sliding_attention" if i % every else "full_attention" for i in range(self.num_hidden_layers)
            ]
