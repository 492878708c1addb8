"""Configuration of MobileViT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class MobileViTConfig(PretrainedConfig):
    """Sizes and switches of a MobileViT; the defaults are those of the small model.

    `hidden_sizes` are widths of the three transformers, `neck_hidden_sizes` of the maps around them.
    """

    model_type = "mobilevit"

    num_channels: int = 3
    image_size: int | list[int] = 256
    patch_size: int = 2
    hidden_sizes: list[int] = field([144, 192, 240])
    neck_hidden_sizes: list[int] = field([16, 32, 64, 96, 128, 160, 640])
    num_attention_heads: int = 4
    mlp_ratio: float = 2.0
    expand_ratio: float = 4.0
    hidden_act: str = "silu"
    conv_kernel_size: int = 3
    output_stride: int = 32
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.0
    classifier_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    qkv_bias: bool = True
    aspp_out_channels: int = 256
    atrous_rates: list[int] = field([6, 12, 18])
    aspp_dropout_prob: float = 0.1
    semantic_loss_ignore_index: int = 255

    def check(self) -> Iterator[tuple[str, str]]:
        for size in self.hidden_sizes:
            if size % self.num_attention_heads:
                yield "hidden_sizes", f"must be multiples of num_attention_heads ({self.num_attention_heads})"
