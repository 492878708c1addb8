"""Configuration of a backbone under timm's name."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class TimmBackboneConfig(PretrainedConfig):
    """The name of a network and the stages that are handed out.

    `use_pretrained_backbone` is kept as it is: building a model fetches nothing.
    """

    model_type = "timm_backbone"

    backbone: str | None = None
    num_channels: int = 3
    features_only: bool = True
    use_pretrained_backbone: bool = True
    out_indices: list[int] = field([-1])
    freeze_batch_norm_2d: bool = False
    output_stride: int = 32
    use_timm_backbone: bool = True
