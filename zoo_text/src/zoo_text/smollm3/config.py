"""Configuration of SmolLM3."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class SmolLM3Config(LlamaLikeConfig):
    """Sizes and switches of a SmolLM3.

    `no_rope_layers` has a 1 for each layer with rotary positions and a 0 for each without; by default every
    `no_rope_layer_interval`-th is without.
    """

    model_type = "smollm3"

    vocab_size: int = 128256
    hidden_size: int = 2048
    num_hidden_layers: int = 36
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 4
    max_position_embeddings: int = 32768
    rms_norm_eps: float = 1e-6
    pad_token_id: int | None = 128004
    bos_token_id: int | None = 128000
    eos_token_id: int | list[int] | None = 128001
    tie_word_embeddings: bool = True
    rope_theta: float = 2000000.0
    rope_scaling: dict[str, Any] | None = None
    use_sliding_window: bool = False
    sliding_window: int | None = None
    no_rope_layers: list[int] | None = None
    no_rope_layer_interval: int = 4
    layer_types: list[str] | None = None
    attention_bias: bool = False
    mlp_bias: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.no_rope_layers is None:
            numbers = range(1, self.num_hidden_layers + 1)
            self.no_rope_layers = [int(i % self.no_rope_layer_interval != 0) for i in numbers]
        if self.layer_types is None:
            local = self.use_sliding_window and self.sliding_window is not None
            kinds = ("sliding_attention" if local else "full_attention", "full_attention")
            self.layer_types = [kinds[bool(rotates)] for rotates in self.no_rope_layers]
