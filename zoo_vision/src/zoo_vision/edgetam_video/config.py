"""Configuration of EdgeTAM for videos."""

from __future__ import annotations

import math
from collections.abc import Iterator

from zoo_core.config import field
from zoo_vision.sam2_video.config import Sam2VideoConfig


class EdgeTamVideoConfig(Sam2VideoConfig):
    """As Segment Anything 2's; the memory of a frame becomes `perceiver_resampler_num_latents` vectors of no
    place and `perceiver_resampler_num_latents_2d` that stand in a square.

    Released files name their own image encoder; without one it is Segment Anything 2's.
    """

    model_type = "edgetam_video"
    attribute_map = {
        "memory_attention_feed_forward_hidden_size": "memory_attention_mlp_hidden_size",
        "memory_attention_feed_forward_hidden_act": "memory_attention_mlp_hidden_act",
    }

    memory_attention_num_layers: int = 2
    memory_attention_mlp_hidden_size: int = 2048
    memory_attention_mlp_hidden_act: str = "relu"
    memory_attention_rope_k_sizes: list[int] = field([16, 16])
    perceiver_resampler_num_latents: int = 256
    perceiver_resampler_num_latents_2d: int = 256
    perceiver_resampler_hidden_size: int = 64
    perceiver_resampler_mlp_intermediate_size: int = 256
    perceiver_resampler_num_attention_heads: int = 1
    perceiver_resampler_attention_head_dim: int = 64
    perceiver_resampler_num_layers: int = 2
    perceiver_resampler_hidden_dropout: float = 0.0
    perceiver_resampler_attention_dropout: float = 0.0

    def check(self) -> Iterator[tuple[str, str]]:
        rows, columns = self.memory_attention_rope_k_sizes
        count = self.perceiver_resampler_num_latents_2d
        if math.isqrt(count) ** 2 != count or count not in (0, rows * columns):
            yield "perceiver_resampler_num_latents_2d", f"must fill a square of {rows} x {columns}"
