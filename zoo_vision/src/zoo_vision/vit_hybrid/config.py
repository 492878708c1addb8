"""Configuration of the hybrid of BiT and ViT."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_vision.bit.config import BitConfig
from zoo_vision.vit.config import ViTConfig


class ViTHybridConfig(ViTConfig):
    """Sizes and switches of a ViT whose patches are the pixels of a backbone's map.

    Args:
        backbone_config: the backbone, a BiT of three stages unless it says otherwise.
        backbone_featmap_shape: (batch, channels, rows, columns) of its map, as a record; it is computed.
    """

    model_type = "vit-hybrid"

    patch_size: int | list[int] = 1
    backbone_config: PretrainedConfig | None = sub_config("bit", optional=True)
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    backbone_featmap_shape: list[int] | None = field([1, 1024, 24, 24])

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backbone_config is None and self.backbone is None:
            self.backbone_config = BitConfig(
                global_padding="same",
                layer_type="bottleneck",
                depths=[3, 4, 9],
                out_features=["stage3"],
                embedding_dynamic_padding=True,
            )


class ViTHybridUnderscoredConfig(ViTHybridConfig):
    """The same under the name that some files give it."""

    model_type = "vit_hybrid"
