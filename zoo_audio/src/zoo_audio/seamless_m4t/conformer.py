"""The speech encoder: a Conformer (https://arxiv.org/abs/2005.08100) and a strided adapter."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.seamless_m4t.config import SeamlessConfig, SeamlessM4TConfig
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers

_FFN = {"fc1": "intermediate_dense", "fc2": "output_dense"}


class FeedForward(MLP):
    """A feed-forward block under the names of speech encoders."""

    hub_names = _FFN

    def __init__(self, config: SeamlessConfig, act: str, dropout: float) -> None:
        size, inner = config.hidden_size, config.speech_encoder_intermediate_size
        super().__init__(size, inner, act, activation_dropout=dropout, dropout=dropout)


class ConformerAttention(Attention):
    """Self-attention under the names of speech encoders."""

    hub_names = {
        f"{part}_proj": f"linear_{name}" for part, name in zip("qkvo", ("q", "k", "v", "out"), strict=True)
    }

    def __init__(self, config: SeamlessConfig) -> None:
        super().__init__(
            config.hidden_size,
            config.speech_encoder_attention_heads,
            dropout=config.speech_encoder_dropout,
        )


class RelativeAttention(ConformerAttention):
    """Scores by content and by sinusoids of the distance (https://arxiv.org/abs/1901.02860, section 3.3)."""

    hub_names = ConformerAttention.hub_names | {"position_proj": "linear_pos"}

    def __init__(self, config: SeamlessM4TConfig) -> None:
        super().__init__(config)
        self.position_proj = Linear(config.hidden_size, config.hidden_size, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(self.num_heads, self.head_dim))
        self.pos_bias_v = nn.Parameter(torch.zeros(self.num_heads, self.head_dim))

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        frames = key.shape[2]
        if "distances" not in context.shared:
            context.shared["distances"] = distance_sinusoids(frames, self.q_proj.in_features).to(query)
        positions = self.split(self.position_proj(context.shared["distances"])[None])
        by_distance = (query + self.pos_bias_v[:, None]) @ positions.transpose(-1, -2)
        place = torch.arange(frames, device=query.device)
        index = frames - 1 - place[:, None] + place[None]  # the row of the distance from each to each
        by_distance = by_distance.gather(-1, index.expand(*by_distance.shape[:2], -1, -1))
        return (self.pos_bias_u[:, None] @ key.transpose(-1, -2) + by_distance) * self.scale


def distance_sinusoids(frames: int, size: int) -> Tensor:
    """(2 x frames - 1, size): sines and cosines in turn of distances frames - 1 down to 1 - frames."""
    distance = torch.arange(frames - 1, -frames, -1, dtype=torch.float32)
    angles = distance[:, None] * torch.exp(torch.arange(0, size, 2) * (-math.log(10000.0) / size))
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)


class RotaryAttention(ConformerAttention):
    """Queries and keys are made of states that were rotated first."""

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        assert rotary is not None
        turned = rotary(self.split(hidden)).transpose(1, 2).flatten(2)
        return (
            self.split(self.q_proj(turned)),
            self.split(self.k_proj(turned)),
            self.split(self.v_proj(hidden)),
        )


class ConvolutionModule(nn.Module):
    """Norm, gate, a convolution of each channel, norm, activation.

    `causal` frames see earlier ones only, and the norm is over channels rather than the batch.
    """

    def __init__(self, config: SeamlessConfig, *, causal: bool, bias: bool = False) -> None:
        super().__init__()
        size, kernel = config.hidden_size, config.conv_depthwise_kernel_size
        self.padding = (kernel - 1, 0) if causal else (kernel // 2, kernel // 2)
        self.layer_norm = nn.LayerNorm(size)
        self.pointwise_conv1 = nn.Conv1d(size, 2 * size, 1, bias=bias)
        self.depthwise_conv = nn.Conv1d(size, size, kernel, groups=size, bias=bias)
        self.batch_norm = None if causal else nn.BatchNorm1d(size)
        self.depthwise_layer_norm = nn.LayerNorm(size) if causal else None
        self.pointwise_conv2 = nn.Conv1d(size, size, 1, bias=bias)
        self.act = activation(config.speech_encoder_hidden_act)
        self.dropout = nn.Dropout(config.speech_encoder_dropout)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(batch, frames, size) to the same shape; frames that `mask` (batch, frames) hides are zero."""
        gated = F.glu(self.pointwise_conv1(self.layer_norm(hidden).transpose(1, 2)), dim=1)
        if mask is not None:
            gated = gated.masked_fill(~mask[:, None], 0.0)
        mixed = self.depthwise_conv(F.pad(gated, self.padding))
        if self.batch_norm is not None:
            mixed = self.batch_norm(mixed)
        elif self.depthwise_layer_norm is not None:
            mixed = self.depthwise_layer_norm(mixed.transpose(1, 2)).transpose(1, 2)
        return self.dropout(self.pointwise_conv2(self.act(mixed))).transpose(1, 2)


class ConformerLayer(nn.Module):
    """Half a feed-forward block, attention, convolution, the other half, norm."""

    def __init__(self, config: SeamlessConfig, self_attn: nn.Module, *, causal: bool) -> None:
        super().__init__()
        size, dropout = config.hidden_size, config.speech_encoder_dropout
        self.ffn1_layer_norm, self.ffn2_layer_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.ffn1 = FeedForward(config, config.speech_encoder_hidden_act, dropout)
        self.ffn2 = FeedForward(config, config.speech_encoder_hidden_act, dropout)
        self.self_attn_layer_norm, self.self_attn = nn.LayerNorm(size), self_attn
        self.conv_module = ConvolutionModule(config, causal=causal)
        self.final_layer_norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, mask: Tensor | None, **attention: Any
    ) -> Tensor:
        hidden = hidden + 0.5 * self.ffn1(self.ffn1_layer_norm(hidden))
        attended = self.self_attn(self.self_attn_layer_norm(hidden), context, **attention)
        hidden = hidden + self.dropout(attended)
        hidden = hidden + self.conv_module(hidden, mask)
        hidden = hidden + 0.5 * self.ffn2(self.ffn2_layer_norm(hidden))
        return self.final_layer_norm(hidden)


class FeatureProjection(nn.Module):
    """Norm and a linear map from filterbanks to the width of the encoder."""

    def __init__(self, config: SeamlessConfig) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.feature_projection_input_dim, eps=config.layer_norm_eps)
        self.projection = Linear(config.feature_projection_input_dim, config.hidden_size)
        self.dropout = nn.Dropout(config.speech_encoder_dropout)

    def forward(self, features: Tensor) -> Tensor:
        return self.dropout(self.projection(self.layer_norm(features)))


class AdapterLayer(nn.Module):
    """A pre-norm layer in which both the input and what attends are shortened by gated convolutions."""

    def __init__(self, config: SeamlessConfig) -> None:
        super().__init__()
        size, kernel, stride = config.hidden_size, config.adaptor_kernel_size, config.adaptor_stride
        conv = partial(nn.Conv1d, size, 2 * size, kernel, stride=stride, padding=stride // 2)
        self.residual_layer_norm, self.residual_conv = nn.LayerNorm(size), conv()
        self.self_attn_layer_norm, self.self_attn_conv = nn.LayerNorm(size), conv()
        self.self_attn = ConformerAttention(config)
        self.ffn_layer_norm = nn.LayerNorm(size)
        self.ffn = FeedForward(config, getattr(config, "adapter_act", "relu"), config.adaptor_dropout)
        self.dropout = nn.Dropout(config.adaptor_dropout)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(batch, frames, size) to fewer frames; `mask` gives what of them counts."""
        residual = self.shortened(self.residual_conv, self.residual_layer_norm(hidden))
        hidden = self.shortened(self.self_attn_conv, self.self_attn_layer_norm(hidden))
        kept = None if mask is None else mask[:, : hidden.shape[1]]
        hidden = residual + self.dropout(self.self_attn(hidden, AttentionContext(hidden, kept)))
        return hidden + self.ffn(self.ffn_layer_norm(hidden))

    @staticmethod
    def shortened(conv: nn.Module, hidden: Tensor) -> Tensor:
        return F.glu(conv(hidden.transpose(1, 2)), dim=1).transpose(1, 2)


class Adapter(nn.Module):
    """The layers between the Conformer and a text decoder."""

    def __init__(self, config: SeamlessConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(AdapterLayer(config) for _ in range(config.num_adapter_layers))

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return hidden


class RotaryFrames(nn.Module):
    """An encoder that rotates where `position_embeddings_type` is "rotary"."""

    inv_freq: Tensor | None
    #: whether files hold the frequencies
    files_hold_frequencies: ClassVar[bool] = True

    def make_rotary(self, config: PretrainedConfig) -> None:
        """Create what `rotary` uses."""
        size, frequencies = config.hidden_size // config.speech_encoder_attention_heads, None
        if config.position_embeddings_type == "rotary":
            steps = torch.arange(0, size, 2, dtype=torch.float32) / size
            frequencies = config.rotary_embedding_base**-steps
        self.register_buffer("inv_freq", frequencies, persistent=self.files_hold_frequencies)

    def rotary(self, hidden: Tensor) -> RotaryTables | None:
        """Tables for frames 0, 1, ... of (batch, frames, size) where the config wants them."""
        if self.inv_freq is None:
            return None
        angles = torch.arange(hidden.shape[1], device=hidden.device)[:, None] * self.inv_freq
        angles = torch.cat((angles, angles), dim=-1)[None, None]
        return RotaryTables(angles.cos(), angles.sin())


class SpeechEncoder(RotaryFrames, PreTrainedModel):
    """Filterbanks (batch, frames, bands) to states (batch, fewer frames, hidden)."""

    main_input_name = "input_features"
    hub_names: ClassVar[Any] = {
        "layers": "encoder.layers",
        "norm": "encoder.layer_norm",
        "inv_freq": "encoder.embed_positions.inv_freq",
    }
    #: whether convolutions see earlier frames only (version 2)
    causal: ClassVar[bool] = False

    def __init__(self, config: SeamlessConfig) -> None:
        super().__init__(config)
        self.feature_projection = FeatureProjection(config)
        self.dropout = nn.Dropout(config.speech_encoder_dropout)
        self.layers = nn.ModuleList(
            ConformerLayer(config, self.make_attention(config), causal=self.causal)
            for _ in range(config.speech_encoder_layers)
        )
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.intermediate_ffn = FeedForward(config, "relu", config.speech_encoder_dropout)
        self.adapter = Adapter(config) if config.add_adapter else None
        self.inner_layer_norm = nn.LayerNorm(config.hidden_size)
        self.make_rotary(config)
        self.post_init()

    def make_attention(self, config: Any) -> nn.Module:
        """The attention of a layer."""
        kinds = {"relative": RelativeAttention, "rotary": RotaryAttention, None: ConformerAttention}
        kind: type[ConformerAttention] = kinds[config.position_embeddings_type]
        return kind(config)

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("the speech encoder takes filterbanks, not tokens")

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """Bool (batch, frames) after an adapter layer, from the mask of the input's frames.

        As released, every layer, and a decoder whatever their number, takes the input to be shortened once.
        """
        kernel, stride = self.config.adaptor_kernel_size, self.config.adaptor_stride
        lengths = (attention_mask.sum(1) + 2 * (kernel // 2) - kernel) // stride + 1
        return torch.arange(frames, device=lengths.device) < lengths[:, None]

    def attended(self, hidden: Tensor, mask: Tensor | None) -> Tensor | None:
        """What attention may see: (batch, frames), or what is added to scores (batch, 1, frames, frames)."""
        return mask

    def forward(
        self, input_features: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> BaseModelOutput:
        if input_features is None:
            raise ValueError("pass input_features (batch, frames, bands)")
        hidden = self.feature_projection(input_features.to(self.dtype))
        mask = None if attention_mask is None else attention_mask.bool()
        if mask is not None:
            hidden = hidden.masked_fill(~mask[..., None], 0.0)
        context = AttentionContext(hidden, self.attended(hidden, mask))
        hidden = run_layers(
            self.layers, self.dropout(hidden), context, mask=mask, rotary=self.rotary(hidden), norm=self.norm
        )
        hidden = hidden + 0.5 * self.intermediate_ffn(hidden)
        if self.adapter is not None:
            kept = None if mask is None else self.frame_mask(hidden.shape[1], mask)
            hidden = self.adapter(hidden, kept)
        return BaseModelOutput(last_hidden_state=self.inner_layer_norm(hidden))
