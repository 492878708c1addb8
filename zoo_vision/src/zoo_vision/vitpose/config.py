"""Configuration of ViTPose."""

from __future__ import annotations

from zoo_core.config import BackboneConfig, PretrainedConfig, field, sub_config


class VitPoseBackboneConfig(BackboneConfig):
    """Sizes and switches of ViTPose's backbone; the defaults are those of the base model.

    With `num_experts` above one, each data set has its own expert for `part_features` of each layer's output.
    """

    model_type = "vitpose_backbone"

    image_size: int | list[int] = field([256, 192])
    patch_size: int | list[int] = field([16, 16])
    num_channels: int = 3
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mlp_ratio: float = 4
    num_experts: int = 1
    part_features: int = 256
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    qkv_bias: bool = True


class VitPoseConfig(PretrainedConfig):
    """The backbone, and the decoder of its heat maps."""

    model_type = "vitpose"

    backbone_config: PretrainedConfig = sub_config("vitpose_backbone", out_indices=[4])
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict | None = None  # type: ignore[type-arg]
    initializer_range: float = 0.02
    scale_factor: int = 4
    use_simple_decoder: bool = True
