"""Configuration of Segment Anything 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zoo_core.config import PretrainedConfig, field, sub_config


class Sam2HieraDetConfig(PretrainedConfig):
    """The backbone; the defaults are those of the tiny model.

    Layers in `global_attention_blocks` see the whole map, others windows of `window_size_per_stage` cells.
    The first `num_query_pool_stages` stages after the first begin with a map of half the size.
    """

    model_type = "sam2_hiera_det_model"
    base_config_key = "backbone_config"

    hidden_size: int = 96
    num_attention_heads: int = 1
    num_channels: int = 3
    image_size: int | list[int] = field([1024, 1024])
    patch_kernel_size: int | list[int] = field([7, 7])
    patch_stride: int | list[int] = field([4, 4])
    patch_padding: int | list[int] = field([3, 3])
    query_stride: int | list[int] = field([2, 2])
    window_positional_embedding_background_size: int | list[int] = field([7, 7])
    num_query_pool_stages: int = 3
    blocks_per_stage: list[int] = field([1, 2, 7, 2])
    embed_dim_per_stage: list[int] = field([96, 192, 384, 768])
    num_attention_heads_per_stage: list[int] = field([1, 2, 4, 8])
    window_size_per_stage: list[int] = field([8, 4, 14, 7])
    global_attention_blocks: list[int] = field([5, 7, 9])
    mlp_ratio: float = 4.0
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    initializer_range: float = 0.02

    def check(self) -> Iterator[tuple[str, str]]:
        stages = len(self.blocks_per_stage)
        for name in ("embed_dim_per_stage", "num_attention_heads_per_stage", "window_size_per_stage"):
            if len(getattr(self, name)) != stages:
                yield name, f"must be {stages}, as many as blocks_per_stage"


class Sam2VisionConfig(PretrainedConfig):
    """The image encoder: a backbone, and a pyramid of `num_feature_levels` maps of its stages.

    Maps in `fpn_top_down_levels` take in the next coarser one.
    """

    model_type = "sam2_vision_model"
    base_config_key = "vision_config"

    backbone_config: PretrainedConfig = sub_config("sam2_hiera_det_model")
    backbone_channel_list: list[int] = field([768, 384, 192, 96])
    backbone_feature_sizes: list[list[int]] = field([[256, 256], [128, 128], [64, 64]])
    fpn_hidden_size: int = 256
    fpn_kernel_size: int = 1
    fpn_stride: int = 1
    fpn_padding: int = 0
    fpn_top_down_levels: list[int] = field([2, 3])
    num_feature_levels: int = 3
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    initializer_range: float = 0.02


class Sam2PromptEncoderConfig(PretrainedConfig):
    """The encoder of points, boxes and masks."""

    base_config_key = "prompt_encoder_config"

    hidden_size: int = 256
    image_size: int = 1024
    patch_size: int = 16
    mask_input_channels: int = 16
    num_point_embeddings: int = 4
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    scale: float = 1

    @property
    def image_embedding_size(self) -> int:
        """Rows of the image's embedding."""
        return self.image_size // self.patch_size


class Sam2MaskDecoderConfig(PretrainedConfig):
    """The decoder of masks.

    `dynamic_multimask_via_stability`: where one mask is wanted but its area hangs on the threshold, the best
    of several is taken.
    """

    base_config_key = "mask_decoder_config"

    hidden_size: int = 256
    hidden_act: str = "gelu"
    mlp_dim: int = 2048
    num_hidden_layers: int = 2
    num_attention_heads: int = 8
    attention_downsample_rate: int = 2
    num_multimask_outputs: int = 3
    iou_head_depth: int = 3
    iou_head_hidden_dim: int = 256
    dynamic_multimask_via_stability: bool = True
    dynamic_multimask_stability_delta: float = 0.05
    dynamic_multimask_stability_thresh: float = 0.98

    layer_norm_eps: ClassVar[float] = 1e-5


class Sam2Config(PretrainedConfig):
    """The three parts."""

    model_type = "sam2"

    vision_config: PretrainedConfig = sub_config("sam2_vision_model")
    prompt_encoder_config: Sam2PromptEncoderConfig = sub_config(Sam2PromptEncoderConfig, fixed=True)
    mask_decoder_config: Sam2MaskDecoderConfig = sub_config(Sam2MaskDecoderConfig, fixed=True)
    initializer_range: float = 0.02
