"""Configuration of Mistral."""

from __future__ import annotations

from zoo_text.llama.config import LlamaLikeConfig


class MistralConfig(LlamaLikeConfig):
    """Sizes and switches of a Mistral; the defaults are those of Mistral 7B."""

    model_type = "mistral"

    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    head_dim: int | None = None
    max_position_embeddings: int = 131072
    rms_norm_eps: float = 1e-6
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    sliding_window: int | None = 4096
