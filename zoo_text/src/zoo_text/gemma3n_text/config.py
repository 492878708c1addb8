"""Configuration of the language model of Gemma 3n."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig


class Gemma3nTextConfig(PretrainedConfig):
    """Sizes and switches of the language model of Gemma 3n."""

    model_type = "gemma3n_text"

    vocab_size: int = 262400
    vocab_size_per_layer_input: int = 262144
    hidden_size: int = 2048
    hidden_size_per_layer_input: int = 256
    intermediate_size: int | list[int] = 16384
    num_hidden_layers: int = 35
    num_attention_heads: int = 8
    num_key_value_heads: int | None = 2
    head_dim: int | None = 256
    hidden_activation: str | None = "gelu_pytorch_tanh"
    max_position_embeddings: int = 32768
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-06
    use_cache: bool = True
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    bos_token_id: int | None = 2
    rope_theta: float = 1000000.0
    rope_scaling: dict[str, Any] | None = None
    rope_local_base_freq: float = 10000.0
    attention_bias: bool = False
    attention_dropout: float = 0.0
    sliding_window: int | None = 512
    layer_types: list[str] | None = None
    final_logit_softcapping: float | None = 30.0
    altup_active_idx: int = 0
    altup_coef_clip: float = 120.0
    altup_correct_scale: bool = True
    altup_num_inputs: int = 4
    num_kv_shared_layers: int = 15
    laurel_rank: int = 64
    activation_sparsity_pattern: float | list[float] | None = None

    def __post_init__(self) -> None:
        layers = self.num_hidden_layers
        if isinstance(self.intermediate_size, int):
            self.intermediate_size = [self.intermediate_size] * layers
        if self.layer_types is None:  # every fifth sees everything
            kinds = ("sliding_attention", "full_attention")
            self.layer_types = [kinds[(i + 1) % 5 == 0] for i in range(layers)]
        if self.activation_sparsity_pattern is None:
            sparse = 10 if layers > 10 else 0
            self.activation_sparsity_pattern = [0.95] * sparse + [0.0] * (layers - sparse)
        elif isinstance(self.activation_sparsity_pattern, float):
            self.activation_sparsity_pattern = [self.activation_sparsity_pattern] * layers

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("intermediate_size", "layer_types", "activation_sparsity_pattern"):
            if len(getattr(self, name)) != self.num_hidden_layers:
                yield name, f"must have an entry for each of the {self.num_hidden_layers} layers"
        borrowing = range(self.num_hidden_layers - self.num_kv_shared_layers, self.num_hidden_layers)
        if self.num_kv_shared_layers and any(self.lender_of(i) is None for i in borrowing):
            yield "num_kv_shared_layers", "must leave a layer of each kind that keeps its own keys"

    def lender_of(self, layer_idx: int) -> int | None:
        """The layer whose keys and values a layer uses, None where they are its own."""
        first = self.num_hidden_layers - self.num_kv_shared_layers
        if layer_idx < first or first <= 0:
            return None
        kind = self.layer_types[layer_idx]
        return next((i for i in reversed(range(first)) if self.layer_types[i] == kind), None)
