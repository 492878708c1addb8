"""Configuration of TimeSformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig

ATTENTION_TYPES = ("divided_space_time", "space_only", "joint_space_time")


class TimesformerConfig(PretrainedConfig):
    """Sizes and switches of a TimeSformer; the defaults are those of the base model.

    `attention_type` says whether patches attend to one place in all frames and then to one frame, to their
    frame alone, or to all patches of all frames.
    """

    model_type = "timesformer"

    image_size: int | list[int] = 224
    patch_size: int | list[int] = 16
    num_channels: int = 3
    num_frames: int = 8
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True
    attention_type: str = "divided_space_time"
    drop_path_rate: float = 0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.attention_type not in ATTENTION_TYPES:
            yield "attention_type", f"must be one of {', '.join(ATTENTION_TYPES)}"
