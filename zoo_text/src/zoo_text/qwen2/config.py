"""Configuration of Qwen2."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Qwen2Config(LlamaLikeConfig):
    """Sizes and switches of a Qwen2.

    With `use_sliding_window`, layers from number `max_window_layers` on see a window.
    """

    model_type = "qwen2"

    vocab_size: int = 151936
    intermediate_size: int = 22016
    num_key_value_heads: int | None = 32
    max_position_embeddings: int = 32768
    rms_norm_eps: float = 1e-6
    rope_scaling: dict[str, Any] | None = None
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 28
    layer_types: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.use_sliding_window:
            self.sliding_window = None
        if self.layer_types is None:
            first = self.num_hidden_layers if self.sliding_window is None else self.max_window_layers
            windowed = [i >= first for i in range(self.num_hidden_layers)]
            self.layer_types = ["sliding_attention" if local else "full_attention" for local in windowed]
