"""Configuration of MLCD's image encoder."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class MLCDVisionConfig(PretrainedConfig):
    """Sizes and switches; the defaults are those of ViT-bigG/14 at 336 pixels."""

    model_type = "mlcd_vision_model"

    hidden_size: int = 1664
    intermediate_size: int = 8192
    num_hidden_layers: int = 48
    num_attention_heads: int = 16
    num_key_value_groups: int = 1
    num_channels: int = 3
    image_size: int = 336
    patch_size: int = 14
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.hidden_size % (4 * self.num_attention_heads):
            yield "num_attention_heads", f"must leave heads of a multiple of 4 features of {self.hidden_size}"


class MLCDConfig(MLCDVisionConfig):
    """The same under the name that some files give it."""

    model_type = "mlcd"
