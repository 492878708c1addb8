"""Configuration of Depth Anything."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class DepthAnythingConfig(PretrainedConfig):
    """Sizes and switches of a Depth Anything; the defaults are those of the small model.

    `depth_estimation_type` is "relative" or "metric", which goes up to `max_depth` metres.
    """

    model_type = "depth_anything"

    backbone_config: PretrainedConfig = sub_config(
        "dinov2",
        image_size=518,
        hidden_size=384,
        num_attention_heads=6,
        out_indices=[9, 10, 11, 12],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict | None = None  # type: ignore[type-arg]
    patch_size: int = 14
    initializer_range: float = 0.02
    reassemble_hidden_size: int = 384
    reassemble_factors: list[float] = field([4, 2, 1, 0.5])
    neck_hidden_sizes: list[int] = field([48, 96, 192, 384])
    fusion_hidden_size: int = 64
    head_in_index: int = -1
    head_hidden_size: int = 32
    depth_estimation_type: str = "relative"
    max_depth: float | None = None

    def __post_init__(self) -> None:
        self.max_depth = self.max_depth or 1

    def check(self) -> Iterator[tuple[str, str]]:
        if self.depth_estimation_type not in ("relative", "metric"):
            yield "depth_estimation_type", "must be 'relative' or 'metric'"
