"""Configuration of Segment Anything."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field, sub_config


class SamVisionConfig(PretrainedConfig):
    """The image encoder; the defaults are those of the base model.

    Layers in `global_attn_indexes` attend to the whole image, others within windows of `window_size` cells.
    """

    model_type = "sam_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    output_channels: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 1024
    patch_size: int = 16
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    initializer_range: float = 1e-10
    qkv_bias: bool = True
    mlp_ratio: float = 4.0
    use_abs_pos: bool = True
    use_rel_pos: bool = True
    window_size: int = 14
    global_attn_indexes: list[int] = field([2, 5, 8, 11])
    num_pos_feats: int = 128
    mlp_dim: int | None = None

    def __post_init__(self) -> None:
        if self.mlp_dim is None:
            self.mlp_dim = int(self.hidden_size * self.mlp_ratio)


class SamPromptEncoderConfig(PretrainedConfig):
    """The encoder of points, boxes and masks."""

    base_config_key = "prompt_encoder_config"

    hidden_size: int = 256
    image_size: int = 1024
    patch_size: int = 16
    mask_input_channels: int = 16
    num_point_embeddings: int = 4
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        self.image_embedding_size = self.image_size // self.patch_size


class SamMaskDecoderConfig(PretrainedConfig):
    """The decoder of masks."""

    base_config_key = "mask_decoder_config"

    hidden_size: int = 256
    hidden_act: str = "relu"
    mlp_dim: int = 2048
    num_hidden_layers: int = 2
    num_attention_heads: int = 8
    attention_downsample_rate: int = 2
    num_multimask_outputs: int = 3
    iou_head_depth: int = 3
    iou_head_hidden_dim: int = 256
    layer_norm_eps: float = 1e-6


class SamConfig(PretrainedConfig):
    """The three parts."""

    model_type = "sam"

    vision_config: SamVisionConfig = sub_config(SamVisionConfig)
    prompt_encoder_config: SamPromptEncoderConfig = sub_config(SamPromptEncoderConfig, fixed=True)
    mask_decoder_config: SamMaskDecoderConfig = sub_config(SamMaskDecoderConfig, fixed=True)
    initializer_range: float = 0.02
