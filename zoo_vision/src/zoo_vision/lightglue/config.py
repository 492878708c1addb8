"""Configuration of LightGlue."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class LightGlueConfig(PretrainedConfig):
    """Sizes of a LightGlue, and when it saves itself work.

    A pair is done after a layer when more than `depth_confidence` of its keypoints are sure of their match;
    keypoints that are surely (`width_confidence`) without a match are left out of the next layers. At 0 or
    below, neither happens. Matches score above `filter_threshold`.
    """

    model_type = "lightglue"

    keypoint_detector_config: PretrainedConfig = sub_config("superpoint")
    descriptor_dim: int = 256
    num_hidden_layers: int = 9
    num_attention_heads: int = 4
    num_key_value_heads: int | None = None
    depth_confidence: float = 0.95
    width_confidence: float = 0.99
    filter_threshold: float = 0.1
    initializer_range: float = 0.02
    hidden_act: str = "gelu"
    attention_dropout: float = 0.0
    attention_bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_key_value_heads = self.num_key_value_heads or self.num_attention_heads
        self.hidden_size, self.intermediate_size = self.descriptor_dim, 2 * self.descriptor_dim

    def check(self) -> Iterator[tuple[str, str]]:
        if self.descriptor_dim % (2 * self.num_attention_heads):
            yield "num_attention_heads", f"must divide half the descriptor_dim {self.descriptor_dim}"
