"""Configuration of ViTMatte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class VitMatteConfig(PretrainedConfig):
    """Sizes and switches of a ViTMatte; `hidden_size` is the width of the backbone.

    `convstream_hidden_sizes` are of the maps of detail, `fusion_hidden_sizes` of what is fused with them, one
    more.
    """

    model_type = "vitmatte"

    backbone_config: PretrainedConfig = sub_config("vitdet", out_features=["stage4"])
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    hidden_size: int = 384
    batch_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    convstream_hidden_sizes: list[int] = field([48, 96, 192])
    fusion_hidden_sizes: list[int] = field([256, 128, 64, 32])

    def check(self) -> Iterator[tuple[str, str]]:
        needed = len(self.convstream_hidden_sizes) + 1
        if len(self.fusion_hidden_sizes) != needed:
            yield "fusion_hidden_sizes", f"must be {needed}, one more than convstream_hidden_sizes"
