"""Configuration of MobileNetV1."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class MobileNetV1Config(PretrainedConfig):
    """Sizes and switches of a MobileNetV1.

    `depth_multiplier` scales the number of channels, of which there are at least `min_depth`; `tf_padding`
    pads as TensorFlow does.
    """

    model_type = "mobilenet_v1"

    num_channels: int = 3
    image_size: int | list[int] = 224
    depth_multiplier: float = 1.0
    min_depth: int = 8
    hidden_act: str = "relu6"
    tf_padding: bool = True
    classifier_dropout_prob: float = 0.999
    initializer_range: float = 0.02
    layer_norm_eps: float = 0.001

    def check(self) -> Iterator[tuple[str, str]]:
        if self.depth_multiplier <= 0:
            yield "depth_multiplier", "must be greater than zero"
