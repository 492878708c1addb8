"""Configuration of GPT-OSS."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, field


class GptOssConfig(PretrainedConfig):
    """Sizes and switches of a GPT-OSS; the defaults are those of the 120B model."""

    model_type = "gpt_oss"

    num_hidden_layers: int = 36
    num_local_experts: int = 128
    vocab_size: int = 201088
    hidden_size: int = 2880
    intermediate_size: int = 2880
    head_dim: int = 64
    num_attention_heads: int = 64
    num_key_value_heads: int = 8
    sliding_window: int | None = 128
    rope_theta: float = 150000.0
    tie_word_embeddings: bool = False
    hidden_act: str = "silu"
    initializer_range: float = 0.02
    max_position_embeddings: int = 131072
    rms_norm_eps: float = 1e-5
    rope_scaling: dict[str, Any] | None = field(
        {
            "rope_type": "yarn",
            "factor": 32.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "truncate": False,
            "original_max_position_embeddings": 4096,
        }
    )
    attention_bias: bool = True
    attention_dropout: float = 0.0
    num_experts_per_tok: int = 4
    router_aux_loss_coef: float = 0.9
    output_router_logits: bool = False
    use_cache: bool = True
    layer_types: list[str] | None = None

    def __post_init__(self) -> None:
        if self.layer_types is None:
            kinds = ("sliding_attention", "full_attention")
            self.layer_types = [kinds[i % 2] for i in range(self.num_hidden_layers)]
