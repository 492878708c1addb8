"""Configuration of Zamba2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class Zamba2Config(PretrainedConfig):
    """Sizes and switches of a Zamba2; the defaults are those of Zamba2 2.7B.

    `layers_block_type` says "mamba" or "hybrid" for each layer; `num_mem_blocks` shared blocks take turns in
    the hybrid ones, each time with adapters of rank `adapter_rank` of its own.
    """

    model_type = "zamba2"
    attribute_map = {"head_dim": "attention_head_dim"}

    vocab_size: int = 32000
    max_position_embeddings: int = 4096
    hidden_size: int = 2560
    num_hidden_layers: int = 54
    layers_block_type: list[str] | None = None
    mamba_d_state: int = 64
    mamba_d_conv: int = 4
    mamba_expand: int = 2
    mamba_ngroups: int = 1
    mamba_headdim: int | None = None
    time_step_min: float = 0.001
    time_step_max: float = 0.1
    time_step_floor: float = 1e-4
    time_step_limit: list[float] | None = None
    n_mamba_heads: int = 8
    use_conv_bias: bool = True
    chunk_size: int = 256
    use_mem_eff_path: bool = False
    add_bias_linear: bool = False
    intermediate_size: int | None = None
    hidden_act: str = "gelu"
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    attention_hidden_size: int | None = None
    attention_head_dim: int | None = None
    attention_dropout: float = 0.0
    num_mem_blocks: int = 1
    use_shared_attention_adapter: bool = False
    adapter_rank: int = 128
    use_mem_rope: bool = False
    rope_theta: float = 10000
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-5
    use_cache: bool = True
    num_logits_to_keep: int | None = 1
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    use_long_context: bool = False
    tie_word_embeddings: bool = True
    kv_channels: int | None = None
    num_query_groups: int | None = None
    hybrid_layer_ids: list[int] | None = None

    def __post_init__(self) -> None:
        heads = self.num_attention_heads
        derived = {
            "attention_hidden_size": 2 * self.hidden_size,
            "attention_head_dim": 2 * self.hidden_size // heads,
            "mamba_headdim": self.mamba_expand * self.hidden_size // self.n_mamba_heads,
            "intermediate_size": 4 * self.hidden_size,
            "num_key_value_heads": heads,
            "kv_channels": self.hidden_size // heads,
            "num_query_groups": heads,
            "layers_block_type": ["mamba"] + (["mamba"] * 5 + ["hybrid"]) * 7 + ["mamba"] * 4 + ["hybrid"]
            + ["mamba"] * 3 + ["hybrid"] + ["mamba"] * 2,
        }  # fmt: skip
        for name, value in derived.items():
            if getattr(self, name) is None:
                setattr(self, name, value)
        kinds = self.layers_block_type or []
        self.hybrid_layer_ids = [i for i, kind in enumerate(kinds) if kind == "hybrid"]
        if self.use_long_context:
            self.max_position_embeddings = 16384

    @property
    def scaled_theta(self) -> float:
        """The base of the rotary wavelengths, for eight times the context with `use_long_context`."""
        width = self.attention_head_dim or 0
        return self.rope_theta * 8 ** (width / (width - 2)) if self.use_long_context else self.rope_theta

    def check(self) -> Iterator[tuple[str, str]]:
        if self.n_mamba_heads * (self.mamba_headdim or 0) != self.mamba_expand * self.hidden_size:
            yield "n_mamba_heads", "times mamba_headdim must be mamba_expand times hidden_size"
        if len(self.layers_block_type or ()) < self.num_hidden_layers:
            yield "layers_block_type", f"must have num_hidden_layers ({self.num_hidden_layers}) entries"
