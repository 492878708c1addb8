"""Configuration of D-FINE."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config
from zoo_vision.rt_detr.config import RTDetrConfig
from zoo_vision.rt_detr_v2.config import METHODS


class DFineConfig(RTDetrConfig):
    """As RT-DETR's, and how the decoder sees the sides of a box: as a distribution over `max_num_bins` + 1.

    `reg_scale` and `up` bend the distances that the bins stand for. `decoder_n_points`: for all maps or for
    each. `eval_idx`: the layer that answers.
    """

    model_type = "d_fine"

    backbone_config: PretrainedConfig | None = sub_config(
        "hgnet_v2", out_features=["stage2", "stage3", "stage4"]
    )
    decoder_n_points: int | list[int] = 4  # type: ignore[assignment]
    weight_loss_fgl: float = 0.15
    weight_loss_ddf: float = 1.5
    eval_idx: int = -1
    layer_scale: float = 1
    max_num_bins: int = 32
    reg_scale: float = 4.0
    depth_mult: float = 1.0
    top_prob_values: int = 4
    lqe_hidden_dim: int = 64
    lqe_layers: int = 2
    decoder_offset_scale: float = 0.5
    decoder_method: str = "default"
    up: float = 0.5

    @property
    def points_per_level(self) -> list[int]:
        """Points of each head in each map."""
        points = self.decoder_n_points
        return points if isinstance(points, list) else [points] * self.num_feature_levels

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.num_feature_levels != len(self.decoder_in_channels):
            yield "num_feature_levels", f"must be the {len(self.decoder_in_channels)} decoder_in_channels"
        if len(self.points_per_level) != self.num_feature_levels:
            yield "decoder_n_points", f"must have a number for each of the {self.num_feature_levels} maps"
        if self.decoder_method not in METHODS:
            yield "decoder_method", f"must be one of {', '.join(METHODS)}"
        if self.layer_scale != 1:
            yield "layer_scale", "must be 1"
