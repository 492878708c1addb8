"""Configuration of a ConvNeXt trained as DINOv3."""

from __future__ import annotations

from zoo_vision.convnext.config import ConvNextConfig


class DINOv3ConvNextConfig(ConvNextConfig):
    """Sizes and switches of a ConvNeXt; see ConvNextConfig."""

    model_type = "dinov3_convnext"

    layer_norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        self.num_stages = len(self.hidden_sizes)
        super().__post_init__()
