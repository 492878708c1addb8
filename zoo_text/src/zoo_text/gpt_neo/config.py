"""Configuration of GPT-Neo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field


class GPTNeoConfig(PretrainedConfig):
    """Sizes and switches of GPT-Neo; the defaults are those of GPT-Neo 1.3B."""

    model_type = "gpt_neo"
    attribute_map = {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"}

    vocab_size: int = 50257
    max_position_embeddings: int = 2048
    hidden_size: int = 2048
    num_layers: int = 24
    attention_types: list[Any] = field([[["global", "local"], 12]])
    num_heads: int = 16
    intermediate_size: int | None = None
    window_size: int = 256
    activation_function: str = "gelu_new"
    resid_dropout: float = 0.0
    embed_dropout: float = 0.0
    attention_dropout: float = 0.0
    classifier_dropout: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    use_cache: bool = True
    bos_token_id: int | None = 50256
    eos_token_id: int | list[int] | None = 50256

    def __post_init__(self) -> None:
        self.attention_layers = [kind for kinds, count in self.attention_types for kind in kinds * count]

    def check(self) -> Iterator[tuple[str, str]]:
        if len(self.attention_layers) != self.num_layers:
            yield "attention_types", f"must describe num_layers ({self.num_layers}) layers"
        if set(self.attention_layers) - {"global", "local"}:
            yield "attention_types", "may name 'global' and 'local' only"
