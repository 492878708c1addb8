"""What stands before and after SpeechT5's shared encoder-decoder (https://arxiv.org/abs/2110.07205, 2.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.spec_augment import hide_spans
from zoo_audio.speecht5.config import SpeechT5Config
from zoo_audio.wav2vec2.model import FeatureEncoder, FeatureProjection, PositionalConvolution
from zoo_core.nn.sinusoid import PaddedSinusoids, sinusoids


class ScaledSinusoids(nn.Module):
    """Adds sinusoids times a learned factor (https://arxiv.org/abs/1809.08895, section 3.2).

    Sines and cosines alternate. Nothing is stored but the factor: the table grows as sequences do.
    """

    table: Tensor

    def __init__(self, positions: int, size: int, dropout: float) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(1.0))
        self.dropout = nn.Dropout(dropout)
        self.size = size
        self.register_buffer("table", self.made(positions), persistent=False)

    def made(self, positions: int) -> Tensor:
        """(positions, size) float32."""
        halves = sinusoids(positions, self.size).unflatten(1, (2, -1))
        return halves.transpose(1, 2).flatten(1)

    def forward(self, hidden: Tensor, past: int = 0) -> Tensor:
        """(batch, sequence, size), which follows `past` others, to the same shape."""
        end = past + hidden.shape[1]
        if end > len(self.table):
            self.table = self.made(2 * end).to(self.table)
        return self.dropout(hidden + self.alpha * self.table[past:end].to(hidden.dtype))


class SpeechEncoderPrenet(nn.Module):
    """wav2vec 2.0's convolutions over the waveform, with two kinds of positions."""

    def __init__(self, config: SpeechT5Config) -> None:
        super().__init__()
        self.config = config
        self.feature_encoder = FeatureEncoder(config)
        self.feature_projection = FeatureProjection(config)
        self.masked_spec_embed: nn.Parameter | None = None
        if config.mask_time_prob > 0.0 or config.mask_feature_prob > 0.0:
            self.masked_spec_embed = nn.Parameter(torch.rand(config.hidden_size))
        self.pos_conv_embed = PositionalConvolution(config)
        positions, self.pad = config.max_speech_positions, config.pad_token_id or 0
        self.pos_sinusoidal_embed = PaddedSinusoids(positions, config.hidden_size, self.pad)

    def forward(
        self, input_values: Tensor, attention_mask: Tensor | None, *, hidden_frames: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Waveforms (batch, samples) to (batch, frames, hidden) and the mask (batch, frames)."""
        features = self.feature_encoder(input_values)
        mask = None
        if attention_mask is not None:
            mask = self.feature_encoder.frame_mask(features.shape[1], attention_mask)
        hidden = hide_spans(
            self.feature_projection(features)[0],
            self.config,
            fill=self.masked_spec_embed,
            training=self.training,
            given=hidden_frames,
            mask=mask,
        )
        hidden = hidden + self.pos_conv_embed(hidden)
        ids = None if mask is None else torch.where(mask, self.pad + 1, self.pad)
        return hidden + self.pos_sinusoidal_embed(ids, 0, hidden), mask


class TextEncoderPrenet(nn.Module):
    """Embedded tokens with scaled sinusoids."""

    def __init__(self, config: SpeechT5Config) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.encode_positions = ScaledSinusoids(
            config.max_text_positions, config.hidden_size, config.positional_dropout
        )

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None, **other: None
    ) -> tuple[Tensor, Tensor | None]:
        """ids (batch, sequence) to (batch, sequence, hidden), and the mask as given."""
        return self.encode_positions(self.embed_tokens(input_ids)), attention_mask


class TextDecoderPrenet(nn.Module):
    """Embedded tokens with sinusoids that skip padding."""

    def __init__(self, config: SpeechT5Config) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.positional_dropout)
        self.embed_scale = config.hidden_size**0.5 if config.scale_embedding else 1.0
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.embed_positions = PaddedSinusoids(
            config.max_text_positions, config.hidden_size, config.pad_token_id or 0
        )

    def forward(self, input_ids: Tensor, speaker_embeddings: Tensor | None = None, past: int = 0) -> Tensor:
        """ids (batch, sequence), which follow `past` others, to (batch, sequence, hidden)."""
        hidden = self.embed_tokens(input_ids) * self.embed_scale
        return self.dropout(hidden + self.embed_positions(input_ids, past, hidden))


class SpeechDecoderPrenet(nn.Module):
    """Mel frames through a bottleneck, with scaled sinusoids and the speaker's vector.

    Dropout in the bottleneck is never switched off: without it the decoder follows the last frame so
    closely that it stops to vary (Tacotron 2, https://arxiv.org/abs/1712.05884, section 2.2). All rows of
    a batch lose the same units. A unit is kept with probability `rate`, as the recorded answers have it:
    checkpoints say 0.5.
    """

    def __init__(self, config: SpeechT5Config) -> None:
        super().__init__()
        self.rate = config.speech_decoder_prenet_dropout
        units = config.speech_decoder_prenet_units
        widths = [config.num_mel_bins, *[units] * (config.speech_decoder_prenet_layers - 1)]
        self.layers = nn.ModuleList(nn.Linear(width, units) for width in widths)
        self.final_layer = nn.Linear(units, config.hidden_size)
        self.encode_positions = ScaledSinusoids(
            config.max_speech_positions, config.hidden_size, config.positional_dropout
        )
        self.speaker_size = config.speaker_embedding_dim
        if self.speaker_size is not None:
            both = self.speaker_size + config.hidden_size
            self.speaker_embeds_layer = nn.Linear(both, config.hidden_size)

    def forward(self, values: Tensor, speaker_embeddings: Tensor | None = None, past: int = 0) -> Tensor:
        """Frames (batch, frames, mels) after `past` others, speakers (batch, size), to states.

        The draws of earlier frames are made again and thrown away, so that a seed means the same
        spectrogram however much of it stands in a cache.
        """
        hidden = values
        for layer in self.layers:
            hidden = layer(hidden).relu()
            kept = hidden.new_empty(past + hidden.shape[1], hidden.shape[2]).bernoulli_(self.rate)
            hidden = hidden * kept[past:] / (1 - self.rate)
        hidden = self.encode_positions(self.final_layer(hidden), past)
        if speaker_embeddings is None:
            return hidden
        if self.speaker_size is None or speaker_embeddings.shape[-1] != self.speaker_size:
            raise ValueError(
                f"speaker_embeddings are {tuple(speaker_embeddings.shape)}; this checkpoint takes "
                f"(batch, {self.speaker_size})"
            )
        speakers = F.normalize(speaker_embeddings)[:, None].expand(len(hidden), hidden.shape[1], -1)
        return self.speaker_embeds_layer(torch.cat((hidden, speakers), dim=-1)).relu()


class PostnetLayer(nn.Module):
    """Convolution, batch norm, dropout; tanh but in the last."""

    def __init__(self, config: SpeechT5Config, index: int) -> None:
        super().__init__()
        kernel, units = config.speech_decoder_postnet_kernel, config.speech_decoder_postnet_units
        self.last = index == config.speech_decoder_postnet_layers - 1
        inputs = config.num_mel_bins if index == 0 else units
        outputs = config.num_mel_bins if self.last else units
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=(kernel - 1) // 2, bias=False)
        self.batch_norm = nn.BatchNorm1d(outputs)
        self.dropout = nn.Dropout(config.speech_decoder_postnet_dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.batch_norm(self.conv(hidden))
        return self.dropout(hidden if self.last else hidden.tanh())


class SpeechDecoderPostnet(nn.Module):
    """States to mel frames, `reduction_factor` of each, and to the scores that the speech ends there."""

    def __init__(self, config: SpeechT5Config) -> None:
        super().__init__()
        self.reduction, self.mels = config.reduction_factor, config.num_mel_bins
        self.feat_out = nn.Linear(config.hidden_size, self.mels * self.reduction)
        self.prob_out = nn.Linear(config.hidden_size, self.reduction)
        self.layers = nn.ModuleList(
            PostnetLayer(config, i) for i in range(config.speech_decoder_postnet_layers)
        )

    def frames(self, hidden: Tensor) -> Tensor:
        """(batch, steps, hidden) to frames (batch, steps x reduction, mels), not yet refined."""
        return self.feat_out(hidden).view(len(hidden), -1, self.mels)

    def refine(self, frames: Tensor) -> Tensor:
        """Frames with what the convolutions add."""
        inner = frames.transpose(1, 2)
        for layer in self.layers:
            inner = layer(inner)
        return frames + inner.transpose(1, 2)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, steps, hidden) to raw frames, refined ones, and the logits of the end (batch, frames)."""
        frames = self.frames(hidden)
        return frames, self.refine(frames), self.prob_out(hidden).flatten(1)
