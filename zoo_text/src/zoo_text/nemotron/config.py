"""Configuration of Nemotron."""

from __future__ import annotations

from zoo_text.llama.config import LlamaLikeConfig


class NemotronConfig(LlamaLikeConfig):
    """Sizes and switches of a Nemotron; the defaults are those of Nemotron-4 15B."""

    model_type = "nemotron"

    vocab_size: int = 256000
    hidden_size: int = 6144
    intermediate_size: int = 24576
    num_attention_heads: int = 48
    head_dim: int | None = None
    hidden_act: str = "relu2"
    max_position_embeddings: int = 4096
    initializer_range: float = 0.0134
    norm_eps: float = 1e-5
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 3
    partial_rotary_factor: float = 0.5
    attention_bias: bool = False
    mlp_bias: bool = False

    def __post_init__(self) -> None:
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads
