"""FastSpeech 2: phonemes to a spectrogram at once, by predicted durations, pitches and energies."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.fastspeech2_conformer.config import (
    FastSpeech2ConformerConfig,
    FastSpeech2ConformerWithHifiGanConfig,
)
from zoo_audio.fastspeech2_conformer.conformer import FastSpeech2Encoder
from zoo_audio.fastspeech2_conformer.variance import VarianceEmbedding, VariancePredictor, lengthened
from zoo_audio.speecht5.nets import PostnetLayer
from zoo_audio.speecht5.vocoder import SpeechT5HifiGan
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput


class FastSpeech2ConformerModelOutput(ModelOutput):
    """Spectrogram (batch, frames, mels), and durations, pitches and energies of the phonemes."""

    loss: Tensor | None = None
    spectrogram: Tensor
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[Tensor, ...] | None = None
    duration_outputs: Tensor | None = None
    pitch_outputs: Tensor | None = None
    energy_outputs: Tensor | None = None


class FastSpeech2ConformerWithHifiGanOutput(FastSpeech2ConformerModelOutput):
    """As its base, with the waveforms (batch, samples)."""

    waveform: Tensor | None = None


class Postnet(nn.Module):
    """States to mel frames, `reduction_factor` of each, and what convolutions add to them."""

    def __init__(self, config: FastSpeech2ConformerConfig) -> None:
        super().__init__()
        self.mels = config.num_mel_bins
        self.feat_out = nn.Linear(config.hidden_size, self.mels * config.reduction_factor)
        count = config.speech_decoder_postnet_layers
        self.layers = nn.ModuleList(PostnetLayer(config, i) for i in range(count))  # type: ignore[arg-type]

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, hidden) to frames (batch, frames, mels), raw and refined."""
        frames = self.feat_out(hidden).view(len(hidden), -1, self.mels)
        inner = frames.transpose(1, 2)
        for layer in self.layers:
            inner = layer(inner)
        return frames, frames + inner.transpose(1, 2)


class FastSpeech2ConformerPreTrainedModel(PreTrainedModel):
    """What all classes of the type share."""

    config_class = FastSpeech2ConformerConfig
    base_model_prefix = "fastspeech2_conformer"


class FastSpeech2ConformerModel(FastSpeech2ConformerPreTrainedModel):
    """Phonemes to spectrograms."""

    def __init__(self, config: FastSpeech2ConformerConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.encoder = FastSpeech2Encoder(config, "encoder")
        self.speaker_id_embedding: nn.Module | None = None
        self.language_id_embedding: nn.Module | None = None
        self.projection: nn.Module | None = None
        if (config.num_speakers or 0) > 1:
            self.speaker_id_embedding = nn.Embedding(config.num_speakers, size)
        if (config.num_languages or 0) > 1:
            self.language_id_embedding = nn.Embedding(config.num_languages, size)
        if config.speaker_embed_dim:
            self.projection = nn.Linear(size + config.speaker_embed_dim, size)
        self.duration_predictor = VariancePredictor(
            config, "duration_predictor", config.duration_predictor_dropout_rate
        )
        self.pitch_predictor = VariancePredictor(config, "pitch_predictor", config.pitch_predictor_dropout)
        self.energy_predictor = VariancePredictor(config, "energy_predictor", config.energy_predictor_dropout)
        self.pitch_embed = VarianceEmbedding(size, config.pitch_embed_kernel_size, config.pitch_embed_dropout)
        self.energy_embed = VarianceEmbedding(
            size, config.energy_embed_kernel_size, config.energy_embed_dropout
        )
        self.decoder = FastSpeech2Encoder(config, "decoder")
        self.speech_decoder_postnet = Postnet(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.embed_tokens

    def voiced(
        self,
        hidden: Tensor,
        speaker_ids: Tensor | None,
        lang_ids: Tensor | None,
        speaker_embedding: Tensor | None,
    ) -> Tensor:
        """States (batch, phonemes, hidden) with the speaker and the language."""
        if self.speaker_id_embedding is not None and speaker_ids is not None:
            hidden = hidden + self.speaker_id_embedding(speaker_ids.view(-1))[:, None]
        if self.language_id_embedding is not None and lang_ids is not None:
            hidden = hidden + self.language_id_embedding(lang_ids.view(-1))[:, None]
        if self.projection is not None and speaker_embedding is not None:
            vector = F.normalize(speaker_embedding)[:, None].expand(-1, hidden.shape[1], -1)
            hidden = self.projection(torch.cat((hidden, vector), dim=-1))
        return hidden

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        spectrogram_labels: Tensor | None = None,
        duration_labels: Tensor | None = None,
        pitch_labels: Tensor | None = None,
        energy_labels: Tensor | None = None,
        speaker_ids: Tensor | None = None,
        lang_ids: Tensor | None = None,
        speaker_embedding: Tensor | None = None,
    ) -> FastSpeech2ConformerModelOutput:
        """Phonemes (batch, phonemes) to spectrograms; in training, all four labels are needed.

        Args:
            attention_mask: (batch, phonemes), 0 for padding. spectrogram_labels: (batch, frames, mels), -100
                for padding. duration_labels: (batch, phonemes + 1), frames of each. pitch_labels,
                energy_labels: (batch, phonemes + 1, 1). speaker_ids, lang_ids: (batch, 1).
            speaker_embedding: (batch, speaker_embed_dim).
        """
        if input_ids is None:
            raise ValueError("pass input_ids (batch, phonemes)")
        given = (spectrogram_labels, duration_labels, pitch_labels, energy_labels)
        if self.training and any(labels is None for labels in given):
            raise ValueError("training needs spectrogram_, duration_, pitch_ and energy_labels")
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        encoded = self.encoder(input_ids, mask)
        hidden = self.voiced(encoded.last_hidden_state, speaker_ids, lang_ids, speaker_embedding)
        padding = mask[..., None] == 0
        stop = self.config.stop_gradient_from_pitch_predictor
        pitches = self.pitch_predictor(hidden.detach() if stop else hidden).masked_fill(padding, 0.0)
        stop = self.config.stop_gradient_from_energy_predictor
        energies = self.energy_predictor(hidden.detach() if stop else hidden).masked_fill(padding, 0.0)
        logs = self.duration_predictor(hidden).squeeze(-1)
        durations = (logs.exp() - 1).round().clamp(min=0).long()
        durations, logs = (x.masked_fill(padding.squeeze(-1), 0) for x in (durations, logs))
        heard = (energies, pitches, durations)
        if self.training:
            assert energy_labels is not None and pitch_labels is not None and duration_labels is not None
            heard = (energy_labels, pitch_labels, duration_labels)
        hidden = hidden + self.energy_embed(heard[0]) + self.pitch_embed(heard[1])
        speed = 1.0 if self.training else self.config.speaking_speed
        frames, lengths = lengthened(hidden, heard[2], speed)
        shown = None
        if self.training:
            shown = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
        decoded = self.decoder(frames, shown)
        before, after = self.speech_decoder_postnet(decoded.last_hidden_state)
        loss = None
        if self.training:
            predicted = (before, after, logs, pitches, energies)
            loss = self.loss(predicted, given, padding.squeeze(-1))
        return FastSpeech2ConformerModelOutput(
            loss=loss,
            spectrogram=after,
            encoder_last_hidden_state=encoded.last_hidden_state,
            encoder_hidden_states=encoded.hidden_states,
            encoder_attentions=encoded.attentions,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            duration_outputs=logs if self.training else durations,
            pitch_outputs=pitches,
            energy_outputs=energies,
        )

    def loss(self, predicted: tuple[Tensor, ...], labels: tuple[Any, ...], padding: Tensor) -> Tensor:
        """Absolute errors of the frames, squared ones of log durations, pitches and energies."""
        before, after, logs, pitches, energies = predicted
        spectrogram, durations, pitch, energy = labels
        kept = spectrogram != -100.0
        total = F.l1_loss(after[kept], spectrogram[kept]) + F.l1_loss(before[kept], spectrogram[kept])
        total = total + F.mse_loss(logs[~padding], (durations.float() + 1).log()[~padding])
        total = total + F.mse_loss(pitches[~padding], pitch[~padding])
        return total + F.mse_loss(energies[~padding], energy[~padding])


class FastSpeech2ConformerHifiGan(SpeechT5HifiGan):
    """The vocoder."""


class FastSpeech2ConformerWithHifiGan(PreTrainedModel):
    """Phonemes to waveforms."""

    config_class = FastSpeech2ConformerWithHifiGanConfig

    def __init__(self, config: FastSpeech2ConformerWithHifiGanConfig) -> None:
        super().__init__(config)
        self.model = FastSpeech2ConformerModel(config.model_config)
        self.vocoder = FastSpeech2ConformerHifiGan(config.vocoder_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.model.encoder.embed_tokens

    def forward(
        self, input_ids: Tensor | None = None, **inputs: Any
    ) -> FastSpeech2ConformerWithHifiGanOutput:
        """As the model, and the waveforms of its spectrograms."""
        found = self.model(input_ids, **inputs)
        return FastSpeech2ConformerWithHifiGanOutput(**found, waveform=self.vocoder(found.spectrogram))
