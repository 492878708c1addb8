"""Units of speech to a waveform: durations, embeddings, and HiFi-GAN (https://arxiv.org/abs/2104.00355)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from zoo_audio.blocks.hifigan import HifiGan
from zoo_audio.seamless_m4t.config import SeamlessConfig
from zoo_core.modeling.model import PreTrainedModel


class VariancePredictor(nn.Module):
    """Two convolutions, and a number for each state: the logarithm of how long it lasts."""

    def __init__(self, size: int, hidden: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(size, hidden, kernel, padding=(kernel - 1) // 2)
        self.ln1 = nn.LayerNorm(hidden)
        self.conv2 = nn.Conv1d(hidden, hidden, kernel, padding=1)
        self.ln2 = nn.LayerNorm(hidden)
        self.proj = nn.Linear(hidden, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, sequence, size), and what is no padding (batch, sequence), to (batch, sequence)."""
        for conv, norm in ((self.conv1, self.ln1), (self.conv2, self.ln2)):
            if mask is not None:
                hidden = hidden.masked_fill(~mask[..., None], 0.0)
            hidden = self.dropout(norm(conv(hidden.transpose(1, 2)).relu().transpose(1, 2)))
        return self.proj(hidden).squeeze(-1)

    def durations(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, sequence) int64: how often each state is repeated, at least once."""
        return torch.expm1(self(hidden, mask)).round().long().clamp(min=1)


class CodeHifiGan(PreTrainedModel):
    """The vocoder, for the voices and languages that it has embeddings of."""

    main_input_name = "input_ids"

    def __init__(self, config: SeamlessConfig) -> None:
        super().__init__(config)
        size = config.unit_embed_dim
        self.dur_predictor = VariancePredictor(
            size, size, config.variance_predictor_kernel_size, config.var_pred_dropout
        )
        self.unit_embedding = nn.Embedding(config.unit_hifi_gan_vocab_size, size)
        self.speaker_embedding = nn.Embedding(config.vocoder_num_spkrs, config.spkr_embed_dim)
        self.language_embedding = nn.Embedding(config.vocoder_num_langs, config.lang_embed_dim)
        self.hifi_gan = HifiGan(size + config.lang_embed_dim + config.spkr_embed_dim, config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.unit_embedding

    def samples(self, frames: Tensor) -> Tensor:
        """How many samples so many frames become."""
        config = self.config
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            frames = (frames - 1) * rate - 2 * ((kernel - rate) // 2) + kernel
        return frames

    def forward(self, input_ids: Tensor, speaker_id: Tensor, lang_id: Tensor) -> tuple[Tensor, Tensor]:
        """Waveforms (batch, samples) and their lengths (batch,).

        Args:
            input_ids: (batch, units), padded with t2u_pad_token_id. speaker_id, lang_id: (batch, 1).
        """
        hidden = self.unit_embedding(input_ids)
        durations = self.dur_predictor.durations(hidden)
        rows = [
            states.repeat_interleave(times, dim=0) for states, times in zip(hidden, durations, strict=True)
        ]
        hidden = pad_sequence(rows, batch_first=True)
        frames = hidden.shape[1]
        language = self.language_embedding(lang_id).expand(-1, frames, -1)
        speaker = self.speaker_embedding(speaker_id).expand(-1, frames, -1)
        joined = torch.cat((language, hidden, speaker), dim=-1).transpose(1, 2)
        # as released, the first unit of the padding counts too
        units = (input_ids != self.config.t2u_pad_token_id).sum(1, keepdim=True)
        lengths = durations.cumsum(1).gather(1, units.clamp(max=input_ids.shape[1] - 1)).squeeze(1)
        return self.hifi_gan(joined).squeeze(1), self.samples(lengths)
