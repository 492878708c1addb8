"""Configuration of EoMT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zoo_core.config import PretrainedConfig


class EomtConfig(PretrainedConfig):
    """Sizes and switches of an EoMT; the defaults are those of the large model.

    Queries join the patches for the last `num_blocks` layers. `class_weight`, `mask_weight` and `dice_weight`
    weigh the loss, which looks at `train_num_points` points.
    """

    model_type = "eomt"

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    mlp_ratio: int = 4
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    image_size: int = 640
    patch_size: int = 16
    num_channels: int = 3
    layerscale_value: float = 1.0
    drop_path_rate: float = 0.0
    num_upscale_blocks: int = 2
    attention_dropout: float = 0.0
    use_swiglu_ffn: bool = False
    num_blocks: int = 4
    no_object_weight: float = 0.1
    class_weight: float = 2.0
    mask_weight: float = 5.0
    dice_weight: float = 5.0
    train_num_points: int = 12544
    oversample_ratio: float = 3.0
    importance_sample_ratio: float = 0.75
    num_queries: int = 200
    num_register_tokens: int = 4

    #: what DINOv2's layers ask for
    qkv_bias: ClassVar[bool] = True

    @property
    def attention_probs_dropout_prob(self) -> float:
        """As DINOv2 calls it."""
        return self.attention_dropout

    def check(self) -> Iterator[tuple[str, str]]:
        if not 0 < self.num_blocks <= self.num_hidden_layers:
            yield "num_blocks", f"must be from 1 to the {self.num_hidden_layers} layers"
