"""Configuration of YOLOS."""

from __future__ import annotations

from typing import ClassVar

from zoo_core.config import PretrainedConfig, field


class YolosConfig(PretrainedConfig):
    """Sizes and switches of a YOLOS; the defaults are those of the base model.

    `*_cost` weigh the matching of tokens to objects, `*_coefficient` the loss.
    """

    model_type = "yolos"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int | list[int] = field([512, 864])
    patch_size: int | list[int] = 16
    num_channels: int = 3
    qkv_bias: bool = True
    num_detection_tokens: int = 100
    use_mid_position_embeddings: bool = True
    auxiliary_loss: bool = False
    class_cost: float = 1
    bbox_cost: float = 5
    giou_cost: float = 2
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    eos_coefficient: float = 0.1

    pooler_act: ClassVar[str] = "tanh"
    mask_loss_coefficient: ClassVar[float] = 1
    dice_loss_coefficient: ClassVar[float] = 1

    @property
    def pooler_output_size(self) -> int:
        """Width of the pooled state."""
        return self.hidden_size
