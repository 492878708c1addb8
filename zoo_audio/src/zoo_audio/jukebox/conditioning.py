"""What a prior of Jukebox is told: the coarser level's tokens, artist, genres and times."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_audio.jukebox.config import JukeboxPriorConfig
from zoo_audio.jukebox.vqvae import JukeboxUpsampler
from zoo_core.errors import ProcessingError


class JukeboxMusicTokenConditioner(nn.Module):
    """The tokens of the next coarser level as conditions at this level's rate."""

    def __init__(self, config: JukeboxPriorConfig, level: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.embed_tokens = nn.Embedding(config.music_vocab_size, size)
        self.upsampler = JukeboxUpsampler(
            config, level, size, config.res_conv_width, config.res_conv_depth, back=False
        )
        self.layer_norm = nn.LayerNorm(size)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, time) as conditions (batch, time * ratio of the levels, size)."""
        return self.layer_norm(self.upsampler(self.embed_tokens(tokens).transpose(1, 2)).transpose(1, 2))


class JukeboxRangeEmbedding(nn.Module):
    """Numbers from `low` to below `high` as rows of a table of `bins` equal steps."""

    def __init__(self, bins: int, size: int, low: float, high: float, *, clamp: bool = False) -> None:
        super().__init__()
        self.low, self.high, self.clamp = low, high, clamp
        self.emb = nn.Embedding(bins, size)

    def forward(self, start: Tensor, end: Tensor | None = None, steps: int = 1) -> Tensor:
        """Embeddings (batch, steps, size) of positions on the way from `start` to `end`, both (batch, 1)."""
        if end is not None:
            if self.clamp:
                start, end = start.clamp(self.low, self.high), end.clamp(self.low, self.high)
            start = start + (end - start) * torch.arange(steps, device=start.device) / steps
        bins = self.emb.num_embeddings
        found = torch.floor(bins * ((start - self.low) / (self.high - self.low))).long()
        if self.clamp:
            found = found.clamp(max=bins - 1)
        if found.numel() and not 0 <= int(found.min()) <= int(found.max()) < bins:
            raise ProcessingError(
                f"A time in the labels, in samples, is outside {self.low:g} to below {self.high:g}, "
                "which min_duration and max_duration allow."
            )
        return self.emb(found)


class JukeboxLabelConditioner(nn.Module):
    """Artist and genres as the state before the first token; times as conditions of each position."""

    def __init__(self, config: JukeboxPriorConfig, *, timed: bool) -> None:
        super().__init__()
        genres, artists = config.metadata_dims
        size, rate = config.hidden_size, config.sampling_rate
        self.steps = config.n_ctx
        self.timed = timed
        self.bow_genre_emb = nn.Embedding(genres, size)
        self.artist_emb = nn.Embedding(artists, size)
        if timed:
            bins, longest = config.timing_dims, config.max_duration * rate
            self.total_length_emb = JukeboxRangeEmbedding(bins, size, config.min_duration * rate, longest)
            self.absolute_pos_emb = JukeboxRangeEmbedding(bins, size, 0.0, longest)
            self.relative_pos_emb = JukeboxRangeEmbedding(bins, size, 0.0, 1.0, clamp=True)

    def forward(self, metadata: Tensor) -> tuple[Tensor, Tensor | None]:
        """Metadata (batch, 4 + genres): total length, offset and length in samples, artist, genres."""
        total, offset, length, artist = metadata[:, :4].split(1, dim=1)
        genres = metadata[:, 4:]
        for name, ids, table in (("artist", artist, self.artist_emb), ("genre", genres, self.bow_genre_emb)):
            if ids.numel() and int(ids.max()) >= table.num_embeddings:
                raise ProcessingError(
                    f"There is no {name} {int(ids.max())}: this prior knows {table.num_embeddings}."
                )
        known = (genres >= 0).unsqueeze(-1)
        bag = (self.bow_genre_emb(genres.clamp(min=0)) * known).sum(dim=1, keepdim=True)
        begin = self.artist_emb(artist) + bag
        if not self.timed:
            return begin, None
        total, start, end = total.float(), offset.float(), (offset + length).float()
        times = self.total_length_emb(total) + self.absolute_pos_emb(start, end, self.steps)
        return begin, times + self.relative_pos_emb(start / total, end / total, self.steps)
