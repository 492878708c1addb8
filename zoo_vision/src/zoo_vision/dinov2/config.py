"""Configuration of DINOv2."""

from __future__ import annotations

from zoo_core.config import BackboneConfig


class Dinov2Config(BackboneConfig):
    """Sizes and switches of a DINOv2; the defaults are those of the base model.

    `apply_layernorm` and `reshape_hidden_states` say what the backbone does to the states it returns.
    """

    model_type = "dinov2"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mlp_ratio: float = 4
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    image_size: int | list[int] = 224
    patch_size: int | list[int] = 14
    num_channels: int = 3
    qkv_bias: bool = True
    layerscale_value: float = 1.0
    drop_path_rate: float = 0.0
    use_swiglu_ffn: bool = False
    apply_layernorm: bool = True
    reshape_hidden_states: bool = True
    use_mask_token: bool = True
