"""Configuration of Gemma 3n's audio encoder."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class Gemma3nAudioConfig(PretrainedConfig):
    """Sizes and switches; the defaults are those of gemma-3n-E2B.

    `sscp_...` are of the convolutions that shorten, `conf_...` of the Conformer.
    """

    model_type = "gemma3n_audio"

    vocab_size: int = 128
    vocab_offset: int = 262272
    input_feat_size: int = 128
    hidden_size: int = 1536
    rms_norm_eps: float = 1e-6
    gradient_clipping: float = 1e10
    conf_attention_chunk_size: int = 12
    conf_attention_context_left: int = 13
    conf_attention_context_right: int = 0
    conf_attention_logit_cap: float = 50.0
    conf_num_attention_heads: int = 8
    conf_num_hidden_layers: int = 12
    conf_conv_kernel_size: int = 5
    conf_reduction_factor: int = 4
    conf_residual_weight: float = 0.5
    sscp_conv_channel_size: list[int] = field([128, 32])
    sscp_conv_group_norm_eps: float = 1e-3
    sscp_conv_kernel_size: list[list[int]] = field([[3, 3], [3, 3]])
    sscp_conv_stride_size: list[list[int]] = field([[2, 2], [2, 2]])

    def check(self) -> Iterator[tuple[str, str]]:
        if self.hidden_size % self.conf_num_attention_heads:
            yield "hidden_size", "must be a multiple of conf_num_attention_heads"
        sizes = (self.sscp_conv_channel_size, self.sscp_conv_kernel_size, self.sscp_conv_stride_size)
        if any(len(one) != 2 for one in sizes):
            yield "sscp_conv_channel_size", "must have two entries, as the kernels and strides"
