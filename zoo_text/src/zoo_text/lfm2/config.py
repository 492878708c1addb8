"""Configuration of LFM2."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class Lfm2Config(PretrainedConfig):
    """Sizes and switches of an LFM2.

    `layer_types` names "full_attention" or "conv" for each layer; `full_attn_idxs` is its older form.
    """

    model_type = "lfm2"

    vocab_size: int = 65536
    hidden_size: int = 2560
    intermediate_size: int = 12288
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 128000
    initializer_range: float = 0.02
    norm_eps: float = 1e-5
    use_cache: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = True
    rope_theta: float = 1000000.0
    conv_bias: bool = False
    conv_L_cache: int = 3
    block_multiple_of: int = 256
    block_ffn_dim_multiplier: float | None = 1.0
    block_auto_adjust_ff_dim: bool = True
    full_attn_idxs: list[int] | None = None
    layer_types: list[str] | None = None
    block_ff_dim: int | None = None

    def __post_init__(self) -> None:
        if self.block_ff_dim is not None:  # older files name the width so
            self.intermediate_size = self.block_ff_dim
        if self.layer_types is None:
            layers = range(self.num_hidden_layers)
            attending = layers if self.full_attn_idxs is None else self.full_attn_idxs
            self.layer_types = ["full_attention" if i in attending else "conv" for i in layers]

    @property
    def ff_size(self) -> int:
        """The width of the MLP: two thirds of the given one, scaled and rounded up, where it adjusts."""
        size = self.intermediate_size
        if self.block_auto_adjust_ff_dim:
            size = int(2 * size / 3)
            if self.block_ffn_dim_multiplier is not None:
                size = int(self.block_ffn_dim_multiplier * size)
                size = -(-size // self.block_multiple_of) * self.block_multiple_of
        return size
