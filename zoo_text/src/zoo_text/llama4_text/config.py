"""Configuration of the language model of Llama 4."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Llama4TextConfig(PretrainedConfig):
    """Sizes and switches of the language model of Llama 4."""

    model_type = "llama4_text"

    vocab_size: int = 202048
    hidden_size: int = 5120
    intermediate_size: int = 8192
    intermediate_size_mlp: int = 16384
    num_hidden_layers: int = 48
    num_attention_heads: int = 40
    num_key_value_heads: int | None = 8
    head_dim: int | None = 128
    hidden_act: str = "silu"
    max_position_embeddings: int = 131072
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-05
    use_cache: bool = True
    pad_token_id: int | None = None
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = False
    rope_theta: float = 500000.0
    attention_dropout: float = 0.0
    num_experts_per_tok: int | None = 1
    num_local_experts: int = 16
    moe_layers: list[int] | None = None
    interleave_moe_layer_step: int = 1
    use_qk_norm: bool = True
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    router_jitter_noise: float = 0.0
    rope_scaling: dict[str, Any] | None = None
    no_rope_layers: list[int] | None = None
    no_rope_layer_interval: int = 4
    attention_chunk_size: int | None = 8192
    layer_types: list[str] | None = None
    attn_temperature_tuning: bool = True
    floor_scale: int = 8192
    attn_scale: float = 0.1
    attention_bias: bool = False

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        layers = range(self.num_hidden_layers)
        if not self.no_rope_layers:  # despite its name, 1 for a layer with rotary
            self.no_rope_layers = [int((i + 1) % self.no_rope_layer_interval != 0) for i in layers]
        if self.moe_layers is None:
            step = self.interleave_moe_layer_step
            self.moe_layers = list(layers[step - 1 :: step])
        if self.layer_types is None:
            kinds = ("full_attention", "chunked_attention")
            self.layer_types = [kinds[rotated] for rotated in self.no_rope_layers]
