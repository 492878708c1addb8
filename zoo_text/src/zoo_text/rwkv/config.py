"""Configuration of RWKV-4."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class RwkvConfig(PretrainedConfig):
    """Sizes and switches of an RWKV-4.

    `context_length` is what it was trained on; the recurrence has no limit. After every `rescale_every`
    layers the residual stream is halved outside training, so that half precision does not overflow.
    """

    model_type = "rwkv"
    attribute_map = {"max_position_embeddings": "context_length"}

    vocab_size: int = 50277
    context_length: int = 1024
    hidden_size: int = 4096
    num_hidden_layers: int = 32
    attention_hidden_size: int | None = None
    intermediate_size: int | None = None
    layer_norm_epsilon: float = 1e-5
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 0
    rescale_every: int = 6
    tie_word_embeddings: bool = False
    use_cache: bool = True

    def __post_init__(self) -> None:
        if self.attention_hidden_size is None:
            self.attention_hidden_size = self.hidden_size
        if self.intermediate_size is None:
            self.intermediate_size = 4 * self.hidden_size
