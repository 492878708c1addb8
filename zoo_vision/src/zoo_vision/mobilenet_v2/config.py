"""Configuration of MobileNetV2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class MobileNetV2Config(PretrainedConfig):
    """Sizes and switches of a MobileNetV2.

    `depth_multiplier` scales the number of channels, which stays a multiple of `depth_divisible_by` and at
    least `min_depth`; `tf_padding` pads as TensorFlow does.
    """

    model_type = "mobilenet_v2"

    num_channels: int = 3
    image_size: int | list[int] = 224
    depth_multiplier: float = 1.0
    depth_divisible_by: int = 8
    min_depth: int = 8
    expand_ratio: float = 6.0
    output_stride: int = 32
    first_layer_is_expansion: bool = True
    finegrained_output: bool = True
    hidden_act: str = "relu6"
    tf_padding: bool = True
    classifier_dropout_prob: float = 0.8
    initializer_range: float = 0.02
    layer_norm_eps: float = 0.001
    semantic_loss_ignore_index: int = 255

    def check(self) -> Iterator[tuple[str, str]]:
        if self.depth_multiplier <= 0:
            yield "depth_multiplier", "must be greater than zero"
