"""VITS: text to a waveform in one network, by a flow between the text's latents and the sound's."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.hifigan import HifiGan
from zoo_audio.vits import flows
from zoo_audio.vits.config import VitsConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.attention_functions import Scoring, eager
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.stack import run_layers


class VitsModelOutput(ModelOutput):
    """A batch of waveforms (batch, samples), how long each is, and the latents they were made from."""

    waveform: Tensor
    sequence_lengths: Tensor
    spectrogram: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class VitsPreTrainedModel(PreTrainedModel):
    """What all VITS classes share."""

    config_class = VitsConfig
    base_model_prefix = "vits"


class WindowAttention(Attention):
    """Near positions have vectors of their own for keys and values (https://arxiv.org/abs/1803.02155)."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__(
            config.hidden_size,
            config.num_attention_heads,
            bias=config.use_bias,
            dropout=config.attention_dropout,
        )
        self.window = config.window_size
        if self.window:
            shape = (1, 2 * self.window + 1, self.head_dim)
            self.emb_rel_k = nn.Parameter(torch.randn(shape) * self.scale)
            self.emb_rel_v = nn.Parameter(torch.randn(shape) * self.scale)

    def near(self, table: Tensor, length: int) -> Tensor:
        """(length, length, head_dim): the vector of each distance, zero beyond the window."""
        places = torch.arange(length, device=table.device)
        away = places - places[:, None]
        vectors = table[0][away.clamp(-self.window, self.window) + self.window]
        return vectors.masked_fill((away.abs() > self.window)[..., None], 0.0)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor | None:
        if not self.window:
            return None
        keys = self.near(self.emb_rel_k, key.shape[2])
        return torch.einsum("bhqd,qkd->bhqk", query, keys) * self.scale

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Mask,
        *,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        scoring = Scoring(scale=self.scale, dropout=dropout, bias=bias, head_mask=head_mask)
        attended, weights = eager(query, key, value, mask, scoring)
        record(ATTENTIONS, weights)
        if not self.window or weights is None:
            return attended
        values = self.near(self.emb_rel_v, key.shape[2])
        return attended + torch.einsum("bhqk,qkd->bhqd", weights, values)


class ConvolutionalMLP(nn.Module):
    """Two convolutions with an activation between; each sees zeros in place of padding."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        kernel = config.ffn_kernel_size
        self.ends = ((kernel - 1) // 2, kernel // 2)
        self.conv_1 = nn.Conv1d(config.hidden_size, config.ffn_dim, kernel)
        self.conv_2 = nn.Conv1d(config.ffn_dim, config.hidden_size, kernel)
        self.act = activation(config.hidden_act)
        self.dropout = nn.Dropout(config.activation_dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, hidden) and the mask (batch, 1, length) to the same shape."""
        turned = hidden.transpose(1, 2) * mask
        turned = self.dropout(self.act(self.conv_1(F.pad(turned, self.ends)))) * mask
        return (self.conv_2(F.pad(turned, self.ends)) * mask).transpose(1, 2)


class VitsLayer(PostNormLayer):
    """A layer of the text encoder."""

    hub_names = {
        "self_attn": "attention",
        "self_attn.o_proj": "attention.out_proj",
        "self_attn_layer_norm": "layer_norm",
        "mlp": "feed_forward",
    }

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        attended = self.dropout(self.self_attn(hidden, context, **attention))
        hidden = self.self_attn_layer_norm(hidden + attended)
        changed = self.dropout(self.mlp(hidden, context.shared["kept"]))
        return self.final_layer_norm(hidden + changed)


class TextEncoder(nn.Module):
    """Characters to states, and to means and log variances of the prior."""

    hub_names = {"layers": "encoder.layers"}

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.scale = size**0.5
        self.embed_tokens = nn.Embedding(config.vocab_size, size, config.pad_token_id)
        self.layers = nn.ModuleList(
            VitsLayer(
                size,
                partial(nn.LayerNorm, eps=config.layer_norm_eps),
                self_attn=WindowAttention(config),
                mlp=ConvolutionalMLP(config),
                dropout=config.hidden_dropout,
            )
            for _ in range(config.num_hidden_layers)
        )
        self.project = nn.Conv1d(size, 2 * config.flow_size, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """ids, mask (batch, length) to states (batch, hidden, length), means and log variances likewise."""
        kept = attention_mask[:, None].to(self.project.weight.dtype)
        hidden = self.embed_tokens(input_ids) * self.scale
        context = AttentionContext(hidden, attention_mask)
        context.shared["kept"] = kept
        rows = kept.transpose(1, 2)
        hidden = run_layers(self.layers, hidden * rows, context, norm=lambda last: last * rows)
        hidden = hidden.transpose(1, 2)
        means, log_variances = (self.project(hidden) * kept).chunk(2, dim=1)
        return hidden, means, log_variances


class VitsModel(VitsPreTrainedModel):
    """The whole of VITS.

    `speaking_rate`, `noise_scale` and `noise_scale_duration` begin as the config has them and may be set
    on the model.
    """

    def __init__(self, config: VitsConfig) -> None:
        super().__init__(config)
        stochastic = config.use_stochastic_duration_prediction
        speaker = config.speaker_embedding_size
        self.text_encoder = TextEncoder(config)
        self.flow = flows.PriorFlow(config)
        self.decoder = HifiGan(config.flow_size, config, condition=speaker, bias=False)
        self.duration_predictor = (
            flows.StochasticDurationPredictor(config) if stochastic else flows.DurationPredictor(config)
        )
        self.embed_speaker = nn.Embedding(config.num_speakers, speaker) if config.num_speakers > 1 else None
        self.posterior_encoder = flows.PosteriorEncoder(config)
        self.speaking_rate = config.speaking_rate
        self.noise_scale = config.noise_scale
        self.noise_scale_duration = config.noise_scale_duration
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_encoder.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_encoder.embed_tokens = value

    def speaker(self, speaker_id: int | Tensor | None) -> Tensor | None:
        """The vectors (1 or batch, size, 1) of one speaker for all, or of one for each row."""
        if speaker_id is None or self.embed_speaker is None:
            return None
        ids = torch.as_tensor(speaker_id, device=self.device).reshape(-1)
        last = self.config.num_speakers - 1
        if bool((ids < 0).any() | (ids > last).any()):
            raise ValueError(f"speaker_id={ids.tolist()}: the speakers of this checkpoint are 0 to {last}")
        return self.embed_speaker(ids)[..., None]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        speaker_id: int | Tensor | None = None,
        labels: Tensor | None = None,
    ) -> VitsModelOutput:
        """ids (batch, length) to waveforms (batch, samples), zero after the end of the shorter ones.

        Args:
            attention_mask: (batch, length), 0 for padding. speaker_id: of a checkpoint with several.

        Raises:
            ValueError: no ids, or a speaker that there is not. NotImplementedError: labels.
        """
        if labels is not None:
            raise NotImplementedError("VITS is not trained here: there are no losses; leave out labels")
        if input_ids is None:
            raise ValueError("pass input_ids (batch, length)")
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        condition = self.speaker(speaker_id)
        hidden, means, log_variances = self.text_encoder(input_ids, mask)
        kept = mask[:, None].to(hidden.dtype)
        log_durations = self.duration_predictor(hidden, kept, condition, self.noise_scale_duration)
        durations = (log_durations.exp() * kept * (1 / self.speaking_rate)).ceil()[:, 0]
        lengths = durations.sum(1).clamp(min=1).long()
        frames = torch.arange(int(lengths.max()), device=lengths.device)
        heard = (frames < lengths[:, None])[:, None].to(hidden.dtype)
        means, log_variances = (spread(stats, durations, len(frames)) for stats in (means, log_variances))
        latents = means + torch.randn_like(means) * log_variances.exp() * self.noise_scale
        latents = self.flow(latents, heard, condition, reverse=True) * heard
        return VitsModelOutput(
            waveform=self.decoder(latents, condition)[:, 0],
            sequence_lengths=lengths * math.prod(self.config.upsample_rates),
            spectrogram=latents,
        )


def spread(stats: Tensor, durations: Tensor, frames: int) -> Tensor:
    """(batch, size, length) with each position repeated as often as `durations` (batch, length) say."""
    ends = durations.cumsum(1)
    places = torch.arange(frames, device=stats.device)
    index = torch.searchsorted(ends, places.expand(len(ends), -1).to(ends.dtype), right=True)
    padded = F.pad(stats, (0, 1)).transpose(1, 2)  # past the end stands the zero
    return padded.gather(1, index[..., None].expand(-1, -1, stats.shape[1])).transpose(1, 2)
