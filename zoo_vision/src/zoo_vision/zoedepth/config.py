"""Configuration of ZoeDepth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class ZoeDepthConfig(PretrainedConfig):
    """Sizes and switches of a ZoeDepth; the defaults are those of the model for indoor scenes.

    `bin_configurations` has `n_bins`, `min_depth` and `max_depth` in metres, and where there are several
    kinds of scenes the `name` of each; a transformer of the sizes `patch_transformer_*` then tells them
    apart. `bin_centers_type` is "softplus", or "normed" within the least and the greatest depth.
    """

    model_type = "zoedepth"

    backbone_config: PretrainedConfig = sub_config(
        "beit",
        image_size=384,
        num_hidden_layers=24,
        hidden_size=1024,
        intermediate_size=4096,
        num_attention_heads=16,
        use_relative_position_bias=True,
        reshape_hidden_states=False,
        out_features=["stage6", "stage12", "stage18", "stage24"],
    )
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    batch_norm_eps: float = 1e-5
    readout_type: str = "project"
    reassemble_factors: list[float] = field([4, 2, 1, 0.5])
    neck_hidden_sizes: list[int] = field([96, 192, 384, 768])
    fusion_hidden_size: int = 256
    head_in_index: int = -1
    use_batch_norm_in_fusion_residual: bool | None = False
    use_bias_in_fusion_residual: bool | None = None
    num_relative_features: int = 32
    add_projection: bool = False
    bottleneck_features: int = 256
    num_attractors: list[int] = field([16, 8, 4, 1])
    bin_embedding_dim: int = 128
    attractor_alpha: float = 1000
    attractor_gamma: int = 2
    attractor_kind: str = "mean"
    min_temp: float = 0.0212
    max_temp: float = 50.0
    bin_centers_type: str = "softplus"
    bin_configurations: list[dict[str, Any]] = field([{"n_bins": 64, "min_depth": 0.001, "max_depth": 10.0}])
    num_patch_transformer_layers: int | None = None
    patch_transformer_hidden_size: int | None = None
    patch_transformer_intermediate_size: int | None = None
    patch_transformer_num_attention_heads: int | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        if self.readout_type not in ("ignore", "add", "project"):
            yield "readout_type", "must be 'ignore', 'add' or 'project'"
        if self.attractor_kind not in ("mean", "sum"):
            yield "attractor_kind", "must be 'mean' or 'sum'"
        if self.bin_centers_type not in ("softplus", "normed"):
            yield "bin_centers_type", "must be 'softplus' or 'normed'"
        needed = {"n_bins", "min_depth", "max_depth"}
        if len(self.bin_configurations) > 1:
            needed |= {"name"}
            if not self.num_patch_transformer_layers or self.patch_transformer_hidden_size != 128:
                yield "patch_transformer_hidden_size", "must be 128, in one layer or more, for several scenes"
        if not self.bin_configurations or any(not needed <= set(bins) for bins in self.bin_configurations):
            yield "bin_configurations", f"must be objects with {', '.join(sorted(needed))}"
