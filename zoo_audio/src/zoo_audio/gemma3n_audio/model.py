"""Gemma 3n's audio encoder: a Conformer that looks back a little and may work on a stream."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.gemma3n_audio.config import Gemma3nAudioConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.linear import Linear
from zoo_core.nn.norm import RMSNorm


class CumulativeNorm(nn.Module):
    """Mean and variance over bands and channels of this frame and all before it."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, frames, bands, channels) to the same shape."""
        x = hidden.float()
        count = x.shape[2] * x.shape[3] * torch.arange(1, x.shape[1] + 1, device=x.device).view(-1, 1, 1)
        mean = x.sum((2, 3), keepdim=True).cumsum(1) / count
        variance = (x - mean).square().sum((2, 3), keepdim=True).cumsum(1) / count
        return ((x - mean) * torch.rsqrt(variance + self.eps) * self.weight.float()).to(hidden.dtype)


class SubsampleBlock(nn.Module):
    """A strided convolution over frames and bands, norm, ReLU; a frame sees itself and later ones."""

    def __init__(self, config: Gemma3nAudioConfig, index: int) -> None:
        super().__init__()
        channels, kernel = config.sscp_conv_channel_size, tuple(config.sscp_conv_kernel_size[index])
        self.ends = (1, 1, 0, kernel[0] - 1)
        stride = tuple(config.sscp_conv_stride_size[index])
        self.conv = nn.Conv2d(1 if index == 0 else channels[0], channels[index], kernel, stride, bias=False)
        self.norm = CumulativeNorm(channels[index], config.sscp_conv_group_norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, channels, frames, bands) to fewer frames and bands."""
        hidden = self.conv(F.pad(hidden, self.ends))
        return self.norm(hidden.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).relu()


class SubsampleProjection(nn.Module):
    """Two such convolutions and a linear map."""

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__()
        self.conv_0, self.conv_1 = SubsampleBlock(config, 0), SubsampleBlock(config, 1)
        bands = config.input_feat_size
        for kernel, stride in zip(config.sscp_conv_kernel_size, config.sscp_conv_stride_size, strict=True):
            bands = (bands + 2 - kernel[1]) // stride[1] + 1
        width = bands * config.sscp_conv_channel_size[-1]
        self.input_proj_linear = Linear(width, config.hidden_size, bias=False)

    def forward(self, mel: Tensor) -> Tensor:
        """(batch, frames, bands) to (batch, fewer frames, hidden)."""
        hidden = self.conv_1(self.conv_0(mel[:, None]))
        return self.input_proj_linear(hidden.permute(0, 2, 3, 1).flatten(2))


class RelativeSinusoids(nn.Module):
    """Projected sinusoids of the distances that a query may look back, the farthest first."""

    def __init__(self, config: Gemma3nAudioConfig, past: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.pos_proj = Linear(size, size, bias=False)
        steps = math.log(10000.0) / max(size // 2 - 1, 1)
        inverse = torch.exp(torch.arange(size // 2) * -steps)
        distance = torch.arange(past, -config.conf_attention_context_right - 1, -1)
        angles = distance[:, None] * inverse
        self.register_buffer("table", torch.cat((angles.sin(), angles.cos()), dim=-1), persistent=False)

    table: Tensor

    def forward(self) -> Tensor:
        """(distances, hidden)."""
        return self.pos_proj(self.table.to(self.pos_proj.weight.dtype))


class BlockAttention(nn.Module):
    """Queries by chunks, each of which sees a window of frames before it (and maybe after)."""

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__()
        size, self.heads = config.hidden_size, config.conf_num_attention_heads
        self.width = size // self.heads
        self.chunk, self.cap = config.conf_attention_chunk_size, config.conf_attention_logit_cap
        self.past = max(0, config.conf_attention_context_left - 1)
        self.future = config.conf_attention_context_right
        self.q_proj, self.k_proj, self.v_proj = (Linear(size, size, bias=False) for _ in range(3))
        self.relative_position_embedding = RelativeSinusoids(config, self.past)
        self.per_dim_scale = nn.Parameter(torch.zeros(self.width))

    def windows(self, x: Tensor) -> Tensor:
        """(batch, frames, ...) to what each chunk may see, (batch, chunks, ..., window)."""
        frames = x.shape[1]
        after = self.future + self.chunk - 1 + (-frames % self.chunk)
        padded = F.pad(x, (0, 0) * (x.dim() - 2) + (self.past, after))
        found = padded.unfold(1, self.chunk + self.past + self.future, self.chunk)
        return found[:, : math.ceil(frames / self.chunk)]

    def forward(self, hidden: Tensor, padding: Tensor) -> Tensor:
        """(batch, frames, size) to the same shape; `padding` (batch, frames) is True for padding."""
        frames = hidden.shape[1]
        query, key, value = (
            proj(hidden).unflatten(-1, (self.heads, self.width))
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        query = query * (self.width**-0.5 / math.log(2.0) * F.softplus(self.per_dim_scale))
        query = F.pad(query, (0, 0, 0, 0, 0, -frames % self.chunk)).unflatten(1, (-1, self.chunk))
        key, value, seen = self.windows(key), self.windows(value), self.windows(~padding)
        scores = torch.einsum("buwnh,bunhc->bnuwc", query, key)
        places = self.relative_position_embedding().unflatten(-1, (self.heads, self.width))
        by_distance = torch.einsum("buwnh,fnh->bnuwf", query, places)
        window, reach = scores.shape[-1], places.shape[0]
        offset = torch.arange(window, device=hidden.device)
        offset = offset - torch.arange(self.chunk, device=hidden.device)[:, None]  # (chunk, window)
        index = offset.clamp(0, reach - 1).expand(*scores.shape[:3], -1, -1)
        scores = scores + by_distance.gather(-1, index)
        scores = (scores / self.cap).tanh() * self.cap
        allowed = ((offset >= 0) & (offset < reach)) & seen[:, None, :, None]
        scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
        found = torch.einsum("bnuwc,bunhc->buwnh", weights, value)
        return found.flatten(1, 2)[:, :frames].flatten(2)


class ClippedBlock(nn.Module):
    """What the blocks below share: norms, and values kept within `gradient_clipping`."""

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__()
        self.limit = config.gradient_clipping

    def clip(self, hidden: Tensor) -> Tensor:
        """Values within the limit, or within the range of their dtype."""
        limit = min(self.limit, torch.finfo(hidden.dtype).max)
        return hidden.clamp(-limit, limit)


def _norm(config: Gemma3nAudioConfig) -> RMSNorm:
    return RMSNorm(config.hidden_size, config.rms_norm_eps, scale_in_float32=True)


class ConformerAttention(ClippedBlock):
    """x + norm(attn(norm(x)))."""

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__(config)
        self.pre_attn_norm, self.post_norm = _norm(config), _norm(config)
        self.attn = BlockAttention(config)
        self.post = Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(self, hidden: Tensor, padding: Tensor) -> Tensor:
        found = self.post(self.attn(self.pre_attn_norm(self.clip(hidden)), padding))
        return hidden + self.post_norm(self.clip(found))


class FeedForward(ClippedBlock):
    """x + weight * norm(mlp(norm(x)))."""

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__(config)
        size, self.share = config.hidden_size, config.conf_residual_weight
        self.pre_layer_norm, self.post_layer_norm = _norm(config), _norm(config)
        self.ffw_layer_1 = Linear(size, 4 * size, bias=False)
        self.ffw_layer_2 = Linear(4 * size, size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = F.silu(self.ffw_layer_1(self.pre_layer_norm(self.clip(hidden))))
        return hidden + self.share * self.post_layer_norm(self.clip(self.ffw_layer_2(inner)))


class LightConvolution(ClippedBlock):
    """Norm, gate, a causal convolution of each channel, norm, swish, and the input added."""

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__(config)
        size, self.kernel = config.hidden_size, config.conf_conv_kernel_size
        self.pre_layer_norm, self.conv_norm = _norm(config), _norm(config)
        self.linear_start = Linear(size, 2 * size, bias=False)
        self.depthwise_conv1d = nn.Conv1d(size, size, self.kernel, groups=size, bias=False)
        self.linear_end = Linear(size, size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        gated = F.glu(self.linear_start(self.pre_layer_norm(hidden))).transpose(1, 2)
        mixed = self.depthwise_conv1d(F.pad(gated, (self.kernel - 1, 0))).transpose(1, 2)
        return hidden + self.linear_end(F.silu(self.conv_norm(self.clip(mixed))))


class ConformerBlock(ClippedBlock):
    """Half a feed-forward block, attention, convolution, the other half, norm."""

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__(config)
        self.ffw_layer_start, self.ffw_layer_end = FeedForward(config), FeedForward(config)
        self.attention, self.lconv1d = ConformerAttention(config), LightConvolution(config)
        self.norm = _norm(config)

    def forward(self, hidden: Tensor, padding: Tensor) -> Tensor:
        hidden = self.attention(self.ffw_layer_start(hidden), padding)
        hidden = self.lconv1d(hidden * ~padding[..., None])
        return self.norm(self.clip(self.ffw_layer_end(hidden)))


class Gemma3nAudioEncoder(PreTrainedModel):
    """Log-mel frames to states, one for `conf_reduction_factor` times four of them."""

    config_class = Gemma3nAudioConfig
    base_model_prefix = "audio_tower"
    main_input_name = "audio_mel"

    def __init__(self, config: Gemma3nAudioConfig) -> None:
        super().__init__(config)
        self.subsample_conv_projection = SubsampleProjection(config)
        self.conformer = nn.ModuleList(ConformerBlock(config) for _ in range(config.conf_num_hidden_layers))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("the encoder takes spectrograms, not tokens")

    def forward(self, audio_mel: Tensor, audio_mel_mask: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, bands) to (batch, fewer frames, hidden), and which of them are padding.

        Args:
            audio_mel_mask: bool (batch, frames), True for padding.
        """
        hidden = self.subsample_conv_projection(audio_mel.to(self.dtype))
        strides = self.config.sscp_conv_stride_size
        places = torch.arange(hidden.shape[1], device=hidden.device) * math.prod(s[0] for s in strides)
        padding = audio_mel_mask[:, places.clamp(max=audio_mel_mask.shape[1] - 1)]
        for block in self.conformer:
            hidden = block(hidden, padding)
        factor = self.config.conf_reduction_factor
        hidden, padding = hidden[:, ::factor], padding[:, ::factor]
        return hidden.masked_fill(padding[..., None], 0.0), padding
