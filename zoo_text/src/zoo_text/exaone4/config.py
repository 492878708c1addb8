"""Configuration of EXAONE 4.0."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Exaone4Config(PretrainedConfig):
    """Sizes and switches of EXAONE 4.0."""

    model_type = "exaone4"

    vocab_size: int = 102400
    hidden_size: int = 4096
    intermediate_size: int = 16384
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 32
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-05
    use_cache: bool = True
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    attention_dropout: float = 0.0
    sliding_window: int | None = 4096
    sliding_window_pattern: int | str | None = 4
    layer_types: list[str] | None = None

    def __post_init__(self) -> None:
        if self.sliding_window is None:
            self.sliding_window_pattern = 0
        if self.layer_types is None:
            self.layer_types = layer_types(self.num_hidden_layers, self.sliding_window_pattern)


def layer_types(layers: int, pattern: int | str | None) -> list[str]:
    """One full layer ends each group of `pattern`; a string repeats itself, "L" for a window (LLLG)."""
    if isinstance(pattern, int) and pattern > 0:
        pattern = "L" * (pattern - 1) + "G"
    if not isinstance(pattern, str) or not pattern:
        return ["full_attention"] * layers
    windowed = [pattern[i % len(pattern)] == "L" for i in range(layers)]
    return ["sliding_attention" if local else "full_attention" for local in windowed]
