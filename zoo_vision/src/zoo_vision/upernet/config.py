"""Configuration of UPerNet."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class UperNetConfig(PretrainedConfig):
    """Sizes and switches of UPerNet's heads over a backbone of any kind."""

    model_type = "upernet"

    backbone_config: PretrainedConfig | None = sub_config(
        "resnet", out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    hidden_size: int = 512
    initializer_range: float = 0.02
    pool_scales: list[int] = field([1, 2, 3, 6])
    use_auxiliary_head: bool = True
    auxiliary_loss_weight: float = 0.4
    auxiliary_in_channels: int | None = None
    auxiliary_channels: int = 256
    auxiliary_num_convs: int = 1
    auxiliary_concat_input: bool = False
    loss_ignore_index: int = 255
