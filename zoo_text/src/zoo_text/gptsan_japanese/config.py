"""Configuration of GPTSAN-japanese."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class GPTSanJapaneseConfig(PretrainedConfig):
    """Sizes of a GPTSAN: `num_switch_layers` layers with experts, then `num_ext_layers` dense ones.

    An expert takes `expert_capacity` tokens of a sequence; those that come later pass it by.
    """

    model_type = "gptsan-japanese"
    attribute_map = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
    }
    dense_act_fn = "relu"

    vocab_size: int = 36000
    max_position_embeddings: int = 1280
    d_model: int = 1024
    d_ff: int = 8192
    d_ext: int = 4096
    d_spout: int = 128
    num_switch_layers: int = 10
    num_ext_layers: int = 0
    num_layers: int | None = None
    num_heads: int = 16
    num_experts: int = 16
    expert_capacity: int = 128
    dropout_rate: float = 0.0
    layer_norm_epsilon: float = 1e-5
    router_bias: bool = False
    router_jitter_noise: float = 0.0
    router_dtype: str = "float32"
    router_ignore_padding_tokens: bool = False
    initializer_factor: float = 0.002
    output_router_logits: bool = False
    use_cache: bool = True
    separator_token_id: int = 35998
    pad_token_id: int | None = 35995
    eos_token_id: int | list[int] | None = 35999

    def __post_init__(self) -> None:
        self.num_layers = self.num_switch_layers + self.num_ext_layers
