"""Sounds of Phi-4-multimodal: a Conformer (https://arxiv.org/abs/2005.08100) with biases by distance."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.parakeet.model import Subsampling
from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.stack import run_layers
from zoo_multimodal.phi4_multimodal.config import Phi4MultimodalAudioConfig, Phi4MultimodalConfig

#: frames that the encoder reads at once
WINDOW = 500


class GatedConvolution(nn.Module):
    """A pointwise convolution whose first half is multiplied by the activation of its second."""

    hub_names = {"conv": "ext_pw_conv_1d"}

    def __init__(self, size: int, out: int, act: str) -> None:
        super().__init__()
        self.conv = nn.Conv1d(size, 2 * out, 1)
        self.b1, self.b2 = nn.Parameter(torch.zeros(1, out, 1)), nn.Parameter(torch.zeros(1, out, 1))
        self.act = activation(act)

    def forward(self, hidden: Tensor) -> Tensor:
        value, gate = self.conv(hidden).chunk(2, dim=1)
        return (value + self.b1) * self.act(gate + self.b2)


class ConvolutionModule(nn.Module):
    """Norm, gate, a convolution of each channel over earlier frames, and two over channels."""

    hub_names = {
        "depthwise_conv": "dw_sep_conv_1d.dw_conv",
        "pointwise_conv1": "dw_sep_conv_1d.pw_conv",
        "pointwise_conv2": "ext_pw_conv_1d",
    }

    def __init__(self, config: Phi4MultimodalAudioConfig) -> None:
        super().__init__()
        size, inner, out = (
            config.hidden_size,
            config.depthwise_separable_out_channel,
            config.ext_pw_out_channel,
        )
        wide = size * config.depthwise_multiplier
        self.past = config.kernel_size - 1
        self.layer_norm = nn.LayerNorm(size)
        self.glu = GatedConvolution(size, out, config.conv_glu_type)
        self.depthwise_conv = nn.Conv1d(size, wide, config.kernel_size, groups=size)
        self.pointwise_conv1 = nn.Conv1d(wide, inner, 1)
        self.act = activation(config.conv_activation)
        self.pointwise_conv2 = nn.Conv1d(size, out, 1)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, frames, size) to the same shape."""
        gated = self.glu(self.layer_norm(hidden).transpose(1, 2))
        mixed = self.pointwise_conv1(self.depthwise_conv(F.pad(gated, (self.past, 0))))
        return self.dropout(self.pointwise_conv2(self.act(mixed))).transpose(1, 2)


class NormedMLP(nn.Module):
    """A norm and a gated block, whose matrices in files are one: the values first."""

    hub_names = {
        "mlp": "",
        ("mlp.up_proj.weight", "mlp.gate_proj.weight"): Fused("gate_up_proj.weight"),
        ("mlp.up_proj.bias", "mlp.gate_proj.bias"): Fused("gate_up_proj.bias"),
    }

    def __init__(self, config: Phi4MultimodalAudioConfig) -> None:
        super().__init__()
        size, dropout = config.hidden_size, config.dropout_rate
        self.layer_norm = nn.LayerNorm(size)
        self.mlp = GatedMLP(size, config.intermediate_size, config.activation, bias=True, dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.dropout(self.mlp(self.layer_norm(hidden)))


class ConformerLayer(nn.Module):
    """Half a feed-forward block, attention, convolution, the other half, norm."""

    hub_names = {"self_attn_layer_norm": "layer_norm_att", "final_layer_norm": "layer_norm"}

    def __init__(self, config: Phi4MultimodalAudioConfig) -> None:
        super().__init__()
        size, dropout = config.hidden_size, config.dropout_rate
        self.feed_forward_in, self.feed_forward_out = NormedMLP(config), NormedMLP(config)
        self.self_attn_layer_norm = nn.LayerNorm(size)
        self.self_attn = Attention(size, config.num_attention_heads, dropout=dropout)
        self.conv = ConvolutionModule(config)
        self.final_layer_norm = nn.LayerNorm(size)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = hidden + 0.5 * self.feed_forward_in(hidden)
        hidden = hidden + self.self_attn(self.self_attn_layer_norm(hidden), context, **attention)
        hidden = hidden + self.conv(hidden)
        hidden = hidden + 0.5 * self.feed_forward_out(hidden)
        return self.final_layer_norm(hidden)


class DistanceBias(nn.Embedding):
    """A bias for each distance and head; distances beyond the largest are alike."""

    def __init__(self, config: Phi4MultimodalAudioConfig) -> None:
        self.most, self.symmetric = config.bias_max_distance, config.bias_symmetric
        super().__init__(self.most * (1 if self.symmetric else 2), config.num_attention_heads)

    def forward(self, frames: int) -> Tensor:  # type: ignore[override]
        """(1, heads, frames, frames)."""
        place = torch.arange(frames, device=self.weight.device)
        distance = (place - place[:, None]).clamp(-self.most, self.most - 1)
        index = distance.abs().clamp(max=self.most - 1) if self.symmetric else distance + self.most
        return super().forward(index).permute(2, 0, 1)[None]


class MeanVariance(nn.Module):
    """Bands with the mean taken away and scaled, by numbers of the training set that files hold."""

    global_mean: Tensor
    global_invstd: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("global_mean", torch.zeros(bands))
        self.register_buffer("global_invstd", torch.ones(bands))

    def forward(self, features: Tensor) -> Tensor:
        return (features - self.global_mean) * self.global_invstd


class Phi4MultimodalAudioModel(PreTrainedModel):
    """Log-mel frames (batch, frames, bands) to states (batch, fewer frames, hidden)."""

    config_class = Phi4MultimodalAudioConfig
    main_input_name = "hidden_states"
    hub_names = MappingProxyType(
        {
            "norm": "encoder_embedding",
            "subsampling.layers": "embed.conv",
            "subsampling.linear": "embed.out",
            "bias": "relative_attention_bias_layer.bias_values",
            "layers": "encoders",
        }
    )

    def __init__(self, config: Phi4MultimodalAudioConfig) -> None:
        super().__init__(config)
        self.norm = MeanVariance(config.input_size)
        self.subsampling = Subsampling(
            config.input_size,
            config.nemo_conv_channels,
            config.hidden_size,
            factor=config.time_reduction,
            act=config.nemo_activation,
        )
        self.bias = DistanceBias(config)
        self.layers = nn.ModuleList(ConformerLayer(config) for _ in range(config.num_blocks))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes spectrograms, not tokens")

    def seen(self, frames: int, device: torch.device) -> Tensor:
        """Bool (frames, frames): which frames see which, by chunks."""
        size, past = self.config.chunk_size, self.config.left_chunk
        if size < 1:
            return torch.ones(frames, frames, dtype=torch.bool, device=device)
        chunk = torch.arange(frames, device=device) // size
        back = chunk[:, None] - chunk
        return (back >= 0) & (back <= past)

    def forward(self, hidden_states: Tensor, mask: Tensor | None = None) -> BaseModelOutput:
        """`mask` (batch, frames) is true for frames that are no padding.

        Longer sounds are read in windows of their own. As in training a frame that is not to be seen has no
        more than a lower score.
        """
        hidden = self.subsampling(self.norm(hidden_states.to(self.dtype)), None)
        batch, frames = hidden.shape[:2]
        kept = None
        if mask is not None:
            lengths = -(-mask.sum(1, keepdim=True) // self.config.time_reduction)
            kept = torch.arange(frames, device=hidden.device) < lengths
        windows = -(-frames // WINDOW)
        if windows > 1:
            missing = windows * WINDOW - frames
            hidden = F.pad(hidden, (0, 0, 0, missing)).reshape(batch * windows, WINDOW, -1)
            kept = None if kept is None else F.pad(kept, (0, missing)).reshape(batch * windows, WINDOW)
        seen = self.seen(hidden.shape[1], hidden.device)[None]
        if kept is not None:
            seen = seen & kept[:, None]
        bias = self.bias(hidden.shape[1]) + seen[:, None].to(hidden.dtype)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), bias=bias)
        return BaseModelOutput(last_hidden_state=hidden.reshape(batch, -1, hidden.shape[-1])[:, :frames])


class Phi4MultimodalAudioEmbedding(nn.Module):
    """Features of sounds, projected in one of two ways: alone, or beside images."""

    hub_names = {
        "alone.up_proj": "up_proj_for_speech",
        "alone.down_proj": "down_proj_for_speech",
        "beside_images.up_proj": "up_proj_for_vision_speech",
        "beside_images.down_proj": "down_proj_for_vision_speech",
    }

    def __init__(self, config: Phi4MultimodalConfig) -> None:
        super().__init__()
        audio = config.audio_config
        width = audio.hidden_size * audio.downsample_rate
        self.dropout = nn.Dropout(config.embd_pdrop)
        self.encoder = Phi4MultimodalAudioModel(audio)
        self.alone, self.beside_images = (SoundProjector(width, config.hidden_size) for _ in range(2))

    def forward(self, sounds: Tensor, sizes: Tensor, mask: Tensor | None, *, beside_images: bool) -> Tensor:
        """Sounds (sounds, frames, bands) to (features, hidden), the first of each by `sizes` (sounds,)."""
        states = self.encoder(sounds, mask).last_hidden_state
        projected = (self.beside_images if beside_images else self.alone)(states)
        counts = torch.as_tensor(sizes).tolist()
        if len(counts) != len(projected):
            raise ValueError(f"audio_embed_sizes are {len(counts)} for {len(projected)} audio_input_features")
        return self.dropout(torch.cat([one[:n] for one, n in zip(projected, counts, strict=True)]))


class SoundProjector(nn.Module):
    """down_proj(gelu(up_proj(x)))."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.up_proj, self.down_proj = nn.Linear(width, size), nn.Linear(size, size)

    def forward(self, states: Tensor) -> Tensor:
        return self.down_proj(F.gelu(self.up_proj(states)))
