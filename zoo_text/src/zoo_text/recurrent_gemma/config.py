"""Configuration of RecurrentGemma."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class RecurrentGemmaConfig(PretrainedConfig):
    """Sizes and switches of a RecurrentGemma; the defaults are those of the 2B model.

    `block_types` is repeated over the layers; `intermediate_size` counts gate and value together.
    """

    model_type = "recurrent_gemma"

    num_hidden_layers: int = 26
    vocab_size: int = 256000
    hidden_size: int = 2560
    intermediate_size: int = 7680
    num_attention_heads: int = 10
    lru_width: int | None = None
    attention_window_size: int = 2048
    conv1d_width: int = 4
    logits_soft_cap: float = 30.0
    rms_norm_eps: float = 1e-6
    use_cache: bool = True
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    bos_token_id: int | None = 2
    hidden_activation: str = "gelu_pytorch_tanh"
    partial_rotary_factor: float = 0.5
    rope_theta: float = 10000.0
    block_types: list[str] | tuple[str, ...] = ("recurrent", "recurrent", "attention")
    attention_dropout: float = 0.0
    num_key_value_heads: int | None = None
    attention_bias: bool = False
    w_init_variance_scale: float = 0.01
    head_dim: int | None = None
    final_w_init_variance_scale: float | None = None

    def __post_init__(self) -> None:
        if self.lru_width is None:
            self.lru_width = self.hidden_size
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads
        if self.final_w_init_variance_scale is None:
            self.final_w_init_variance_scale = 2.0 / self.num_hidden_layers

    @property
    def layers_block_type(self) -> list[str]:
        """ "recurrent" or "attention" for each layer."""
        kinds = self.block_types
        return [kinds[i % len(kinds)] for i in range(self.num_hidden_layers)]
