"""Configuration of Mimi."""

from __future__ import annotations

import math
from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class MimiConfig(PretrainedConfig):
    """Sizes and switches of a Mimi; the defaults are those of kyutai/mimi, but for the rate.

    Without a `frame_rate` the transformer's frames are joined two by two.
    """

    model_type = "mimi"

    sampling_rate: int = 24000
    frame_rate: float | None = None
    audio_channels: int = 1
    hidden_size: int = 512
    num_filters: int = 64
    num_residual_layers: int = 1
    upsampling_ratios: list[int] = field([8, 6, 5, 4])
    kernel_size: int = 7
    last_kernel_size: int = 3
    residual_kernel_size: int = 3
    dilation_growth_rate: int = 2
    use_causal_conv: bool = True
    pad_mode: str = "constant"
    compress: int = 2
    trim_right_ratio: float = 1.0
    codebook_size: int = 2048
    codebook_dim: int | None = 256
    num_quantizers: int = 32
    use_conv_shortcut: bool = False
    vector_quantization_hidden_dimension: int = 256
    num_semantic_quantizers: int = 1
    upsample_groups: int = 512
    num_hidden_layers: int = 8
    intermediate_size: int = 2048
    num_attention_heads: int = 8
    num_key_value_heads: int = 8
    head_dim: int | None = None
    hidden_act: str = "gelu"
    max_position_embeddings: int = 8000
    initializer_range: float = 0.02
    norm_eps: float = 1e-5
    use_cache: bool = False
    use_streaming: bool = False
    rope_theta: float = 10000.0
    sliding_window: int | None = 250
    attention_dropout: float = 0.0
    layer_scale_initial_scale: float = 0.01
    attention_bias: bool = False

    def __post_init__(self) -> None:
        if self.codebook_dim is None:
            self.codebook_dim = self.hidden_size
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads

    def check(self) -> Iterator[tuple[str, str]]:
        if not 1 <= self.num_semantic_quantizers < self.num_quantizers:
            yield "num_semantic_quantizers", "must be 1 or more and fewer than num_quantizers"

    @property
    def encodec_frame_rate(self) -> int:
        """Frames of a second in the transformer."""
        return math.ceil(self.sampling_rate / math.prod(self.upsampling_ratios))

    @property
    def joined_frames(self) -> int:
        """Frames of the transformer for one of the codes."""
        return 2 if self.frame_rate is None else round(self.encodec_frame_rate / self.frame_rate)

    @property
    def frame_size(self) -> int:
        """Samples of a frame of codes."""
        return math.prod(self.upsampling_ratios) * self.joined_frames
