"""Configuration of SuperGlue."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class SuperGlueConfig(PretrainedConfig):
    """Sizes and switches of a SuperGlue; `hidden_size` is that of the detector's descriptors.

    Layers of `gnn_layers_types` "self" look at the keypoints of the same image, "cross" at the other's.
    """

    model_type = "superglue"

    keypoint_detector_config: PretrainedConfig = sub_config("superpoint")
    hidden_size: int = 256
    keypoint_encoder_sizes: list[int] = field([32, 64, 128, 256])
    gnn_layers_types: list[str] = field(["self", "cross"] * 9)
    num_attention_heads: int = 4
    sinkhorn_iterations: int = 100
    matching_threshold: float = 0.0
    initializer_range: float = 0.02
    attention_probs_dropout_prob: float = 0

    def check(self) -> Iterator[tuple[str, str]]:
        if not set(self.gnn_layers_types) <= {"self", "cross"}:
            yield "gnn_layers_types", "must be 'self' and 'cross' only"
        if self.hidden_size % self.num_attention_heads:
            yield "num_attention_heads", f"must divide the hidden_size {self.hidden_size}"
