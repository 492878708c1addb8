"""Configuration of Qwen3-VL-MoE's language model."""

from __future__ import annotations

from zoo_text.qwen2_moe.config import QwenMoeConfig


class Qwen3VLMoeTextConfig(QwenMoeConfig):
    """Sizes and switches of the language model of Qwen3-VL-MoE.

    `rope_scaling` holds `mrope_section`, the wavelengths that follow time, height and width.
    """

    model_type = "qwen3_vl_moe_text"
    base_config_key = "text_config"

    intermediate_size: int = 5632
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 16
    head_dim: int | None = None
    max_position_embeddings: int = 128000
    rope_theta: float = 5e6
    attention_bias: bool = False
    norm_topk_prob: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads
