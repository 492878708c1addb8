"""Configuration of ModernBERT as a decoder."""

from __future__ import annotations

from zoo_text.modernbert.config import ModernBertLikeConfig


class ModernBertDecoderConfig(ModernBertLikeConfig):
    """Sizes and switches of a ModernBERT decoder.

    Every `global_attn_every_n_layers`-th layer sees everything, the others a window of half of
    `local_attention`, unless `layer_types` and `sliding_window` say otherwise.
    """

    model_type = "modernbert-decoder"

    use_cache: bool = True
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
