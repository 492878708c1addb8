"""wav2vec 2.0: convolutions over the waveform, then a transformer with convolutional positions."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.spec_augment import hide_spans
from zoo_audio.blocks.weight_norm import NormedConv1d
from zoo_audio.wav2vec2.config import SpeechEncoderConfig, Wav2Vec2Config
from zoo_core.heads.audio import (
    ForAudioClassification,
    ForAudioFrameClassification,
    ForCTC,
    ForMaskedFrames,
    ForXVector,
)
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput, Wav2Vec2BaseModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer, PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers

_LAYER = {
    "self_attn": "attention",
    "self_attn.o_proj": "attention.out_proj",
    "mlp.fc1": "feed_forward.intermediate_dense",
    "mlp.fc2": "feed_forward.output_dense",
}


class ConvLayer(nn.Module):
    """Convolution, norm and activation."""

    def __init__(self, config: SpeechEncoderConfig, index: int) -> None:
        super().__init__()
        inputs, outputs = ([1, *config.conv_dim])[index : index + 2]
        kernel, stride = config.conv_kernel[index], config.conv_stride[index]
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride, bias=config.conv_bias)
        self.by_group = config.feat_extract_norm == "group"
        self.layer_norm: nn.Module | None = None
        if not self.by_group:
            self.layer_norm = nn.LayerNorm(outputs)
        elif index == 0:
            self.layer_norm = nn.GroupNorm(outputs, outputs)
        self.act = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, channels, samples) to fewer samples."""
        hidden = self.conv(hidden)
        if self.layer_norm is not None:
            if self.by_group:
                hidden = self.layer_norm(hidden)
            else:
                hidden = self.layer_norm(hidden.transpose(1, 2)).transpose(1, 2)
        return self.act(hidden)


class FeatureEncoder(nn.Module):
    """The stack of convolutions."""

    def __init__(self, config: SpeechEncoderConfig) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(ConvLayer(config, i) for i in range(len(config.conv_dim)))

    def forward(self, input_values: Tensor) -> Tensor:
        """Waveforms (batch, samples) to (batch, frames, channels)."""
        hidden = input_values[:, None]
        for layer in self.conv_layers:
            hidden = layer(hidden)
        return hidden.transpose(1, 2)

    def output_lengths(self, samples: Tensor) -> Tensor:
        """Frames of so many samples."""
        for layer in self.conv_layers:
            samples = (samples - layer.conv.kernel_size[0]) // layer.conv.stride[0] + 1
        return samples

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """Bool (batch, frames): those that hold no padding, from the mask (batch, samples)."""
        lengths = self.output_lengths(attention_mask.sum(-1))
        return torch.arange(frames, device=lengths.device) < lengths[:, None]


class FeatureProjection(nn.Module):
    """Norm and a linear map from the channels to the width of the transformer."""

    def __init__(self, config: SpeechEncoderConfig) -> None:
        super().__init__()
        channels = config.conv_dim[-1]
        wanted = getattr(config, "feat_proj_layer_norm", True)
        self.layer_norm = nn.LayerNorm(channels, eps=config.layer_norm_eps) if wanted else None
        self.projection = nn.Linear(channels, config.hidden_size)
        self.dropout = nn.Dropout(config.feat_proj_dropout)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, channels) to (batch, frames, hidden), and the normalised input."""
        normed = features if self.layer_norm is None else self.layer_norm(features)
        return self.dropout(self.projection(normed)), normed


class PositionalConvolution(nn.Module):
    """A grouped convolution over the frames that tells where they stand."""

    def __init__(self, config: SpeechEncoderConfig) -> None:
        super().__init__()
        size, width = config.num_conv_pos_embeddings, config.hidden_size
        options = {"padding": size // 2, "groups": config.num_conv_pos_embedding_groups}
        self.batch_norm: nn.Module | None = None
        self.conv: nn.Module
        if getattr(config, "conv_pos_batch_norm", False):
            self.batch_norm = nn.BatchNorm1d(width)
            self.conv = nn.Conv1d(width, width, size, **options)
        else:
            self.conv = NormedConv1d(width, width, size, dim=2, **options)
        self.act = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, frames, hidden) to the same shape."""
        turned = hidden.transpose(1, 2)
        if self.batch_norm is not None:
            turned = self.batch_norm(turned)
        return self.act(self.conv(turned)[..., : hidden.shape[1]]).transpose(1, 2)


class AttentionAdapter(nn.Module):
    """A small bottleneck for each language (MMS, https://arxiv.org/abs/2305.13516)."""

    def __init__(self, config: SpeechEncoderConfig, size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden_size)
        self.linear_1 = Linear(config.hidden_size, size)
        self.linear_2 = Linear(size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.linear_2(self.linear_1(self.norm(hidden)).relu())


class PostNormSpeechLayer(PostNormLayer):
    """A layer of the base models."""

    hub_names = {**_LAYER, "self_attn_layer_norm": "layer_norm"}


class PreNormSpeechLayer(PreNormLayer):
    """A layer of the large models (`do_stable_layer_norm`), with an adapter where `adapter_attn_dim` is."""

    hub_names = {**_LAYER, "input_layernorm": "layer_norm", "post_attention_layernorm": "final_layer_norm"}
    adapter_layer: nn.Module | None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.adapter_layer = None

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Tensor) -> Tensor:
        hidden = super().forward(hidden, context, **attention)
        return hidden if self.adapter_layer is None else hidden + self.adapter_layer(hidden)


def speech_layer(config: SpeechEncoderConfig, attention: nn.Module | None = None) -> nn.Module:
    """A layer of the transformer, with another attention than the plain one where given."""
    if attention is None:
        attention = Attention(
            config.hidden_size, config.num_attention_heads, dropout=config.attention_dropout
        )
    wiring = PreNormSpeechLayer if config.do_stable_layer_norm else PostNormSpeechLayer
    layer = wiring(
        config.hidden_size,
        partial(nn.LayerNorm, eps=config.layer_norm_eps),
        self_attn=attention,
        mlp=MLP(
            config.hidden_size,
            config.intermediate_size,
            config.hidden_act,
            activation_dropout=config.activation_dropout,
        ),
        dropout=config.hidden_dropout,
    )
    size = getattr(config, "adapter_attn_dim", None)
    if size is not None and config.do_stable_layer_norm:
        layer.adapter_layer = AttentionAdapter(config, size)
    return layer


class AdapterLayer(nn.Module):
    """A strided convolution with a gate, which shortens the sequence."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        width = config.output_hidden_size
        self.conv = nn.Conv1d(width, 2 * width, config.adapter_kernel_size, config.adapter_stride, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        return F.glu(self.conv(hidden), dim=1)


class Adapter(nn.Module):
    """Convolutions between a speech encoder and a text decoder."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.proj: nn.Module | None = None
        self.proj_layer_norm: nn.Module | None = None
        if config.output_hidden_size != config.hidden_size:
            self.proj = nn.Linear(config.hidden_size, config.output_hidden_size)
            self.proj_layer_norm = nn.LayerNorm(config.output_hidden_size)
        self.layers = nn.ModuleList(AdapterLayer(config) for _ in range(config.num_adapter_layers))

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, frames, hidden) to (batch, fewer frames, output hidden)."""
        if self.proj is not None and self.proj_layer_norm is not None:
            hidden = self.proj_layer_norm(self.proj(hidden))
        hidden = hidden.transpose(1, 2)
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden.transpose(1, 2)


class SpeechEncoderModel(PreTrainedModel):
    """What wav2vec 2.0, HuBERT and their kin share: waveforms to states of frames."""

    main_input_name = "input_values"
    hub_names = {
        "layers": "encoder.layers",
        "norm": "encoder.layer_norm",
        "pos_conv_embed": "encoder.pos_conv_embed",
    }
    output_class: ClassVar[type[ModelOutput]] = Wav2Vec2BaseModelOutput

    def __init__(self, config: SpeechEncoderConfig) -> None:
        super().__init__(config)
        self.feature_extractor = FeatureEncoder(config)
        self.feature_projection = FeatureProjection(config)
        self.masked_spec_embed: nn.Parameter | None = None
        if config.mask_time_prob > 0.0 or config.mask_feature_prob > 0.0:
            self.masked_spec_embed = nn.Parameter(torch.rand(config.hidden_size))
        self.pos_conv_embed = self.make_positions(config)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(self.make_layer(config, i) for i in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.adapter = Adapter(config) if getattr(config, "add_adapter", False) else None
        self.post_init()

    def make_positions(self, config: SpeechEncoderConfig) -> nn.Module:
        """What tells the frames (batch, frames, hidden) where they stand."""
        return PositionalConvolution(config)

    def make_layer(self, config: SpeechEncoderConfig, index: int) -> nn.Module:
        """Layer number `index`."""
        return speech_layer(config)

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions as they are in training."""
        self.feature_extractor.requires_grad_(False)

    def output_lengths(self, samples: Tensor) -> Tensor:
        """Frames, before any adapter, of so many samples."""
        return self.feature_extractor.output_lengths(samples)

    def frame_mask(self, frames: int, attention_mask: Tensor, *, adapted: bool = True) -> Tensor:
        """Bool (batch, frames): the frames that hold no padding, from the mask (batch, samples)."""
        lengths = self.output_lengths(attention_mask.sum(-1))
        if adapted and self.adapter is not None:
            for _ in self.adapter.layers:
                lengths = (lengths - 1) // self.config.adapter_stride + 1
        return torch.arange(frames, device=lengths.device) < lengths[:, None]

    def encode(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """The transformer, over frames (batch, frames, hidden) of which those in `mask` count."""
        stable = self.config.do_stable_layer_norm
        if mask is not None:
            hidden = hidden * mask[..., None]
        hidden = hidden + self.pos_conv_embed(hidden)
        hidden = self.dropout(hidden if stable else self.norm(hidden))
        context = AttentionContext(hidden, mask)
        return run_layers(self.layers, hidden, context, norm=self.norm if stable else None)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        mask_time_indices: Tensor | None = None,
    ) -> ModelOutput:
        """Waveforms (batch, samples) to states (batch, frames, hidden).

        Args:
            attention_mask: (batch, samples), 0 for padding. mask_time_indices: (batch, frames), frames
                to hide.
        """
        if input_values is None:
            raise ValueError("pass input_values (batch, samples)")
        features = self.feature_extractor(input_values.to(self.dtype))
        mask = None
        if attention_mask is not None:
            mask = self.frame_mask(features.shape[1], attention_mask, adapted=False)
        hidden, features = self.feature_projection(features)
        hidden = hide_spans(
            hidden, self.config, fill=self.masked_spec_embed, training=self.training,
            given=mask_time_indices, mask=mask,
        )  # fmt: skip
        hidden = self.encode(hidden, mask)
        if self.adapter is not None:
            hidden = self.adapter(hidden)
        found = {"last_hidden_state": hidden, "extract_features": features}
        return self.output_class(**{k: v for k, v in found.items() if k in self.output_class.fields})

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes waveforms, not tokens")


class Wav2Vec2PreTrainedModel(PreTrainedModel):
    """What all wav2vec 2.0 classes share."""

    config_class = Wav2Vec2Config
    base_model_prefix = "wav2vec2"
    main_input_name = "input_values"


class Wav2Vec2Model(SpeechEncoderModel, Wav2Vec2PreTrainedModel):
    """wav2vec 2.0 without a head."""


class Wav2Vec2ForCTC(ForCTC, Wav2Vec2PreTrainedModel):
    """wav2vec 2.0 that transcribes."""

    base_class = Wav2Vec2Model


class Wav2Vec2ForMaskedLM(ForMaskedFrames, Wav2Vec2PreTrainedModel):
    """wav2vec 2.0 with scores of tokens."""

    base_class = Wav2Vec2Model


class Wav2Vec2ForSequenceClassification(ForAudioClassification, Wav2Vec2PreTrainedModel):
    """wav2vec 2.0 with a classifier of the whole sound."""

    base_class = Wav2Vec2Model


class Wav2Vec2ForAudioFrameClassification(ForAudioFrameClassification, Wav2Vec2PreTrainedModel):
    """wav2vec 2.0 with a classifier of every frame."""

    base_class = Wav2Vec2Model


class Wav2Vec2ForXVector(ForXVector, Wav2Vec2PreTrainedModel):
    """wav2vec 2.0 with a vector for the speaker."""

    base_class = Wav2Vec2Model
