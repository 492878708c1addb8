"""Configuration of Switch Transformers."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class SwitchTransformersConfig(PretrainedConfig):
    """Sizes and switches of a Switch Transformer; the defaults are those of switch-base-8.

    An expert takes `expert_capacity` tokens of a sequence; those that come later pass it by.
    """

    model_type = "switch_transformers"
    attribute_map = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
    }
    is_gated_act = False

    vocab_size: int = 32128
    d_model: int = 768
    d_kv: int = 64
    d_ff: int = 2048
    expert_capacity: int = 64
    num_layers: int = 12
    num_sparse_encoder_layers: int = 3
    num_decoder_layers: int | None = 12
    num_sparse_decoder_layers: int = 3
    num_heads: int = 12
    num_experts: int = 8
    router_bias: bool = False
    router_jitter_noise: float = 0.01
    router_dtype: str = "float32"
    router_ignore_padding_tokens: bool = False
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    layer_norm_epsilon: float = 1e-6
    router_z_loss_coef: float = 0.001
    router_aux_loss_coef: float = 0.001
    initializer_factor: float = 1.0
    dense_act_fn: str = "relu"
    is_encoder_decoder: bool = True
    add_router_probs: bool = False
    use_cache: bool = True
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1

    def __post_init__(self) -> None:
        if self.num_decoder_layers is None:
            self.num_decoder_layers = self.num_layers
        self.encoder_sparse_step = sparse_step(self.num_layers, self.num_sparse_encoder_layers)
        self.decoder_sparse_step = sparse_step(self.num_decoder_layers, self.num_sparse_decoder_layers)


def sparse_step(layers: int, sparse: int) -> int:
    """Of how many layers one has experts."""
    return layers // sparse if sparse else layers
