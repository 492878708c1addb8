"""Jukebox: a VQ-VAE that turns music into tokens, and a prior for each level of them (Dhariwal et al.)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.jukebox.config import SHARED, JukeboxConfig
from zoo_audio.jukebox.prior import JukeboxPrior
from zoo_audio.jukebox.vqvae import JukeboxVQVAE
from zoo_core.errors import ProcessingError
from zoo_core.modeling.model import PreTrainedModel


def get_starts(total_length: int, n_ctx: int, hop_length: int) -> list[int]:
    """Where windows of `n_ctx` begin, `hop_length` apart, the last of them ending at `total_length`."""
    last = total_length - n_ctx
    return [*range(0, last, hop_length), last]


class JukeboxPreTrainedModel(PreTrainedModel):
    """What Jukebox's classes share."""

    config_class = JukeboxConfig
    base_model_prefix = "jukebox"


class JukeboxModel(JukeboxPreTrainedModel):
    """Samples music, the tokens of the coarsest level first, then those of each finer one given them.

    Lists of music tokens that go through the sampling methods begin with the coarsest level, that of
    `priors[0]`; `encode` and `decode` count from the finest, as the VQ-VAE does: the sound of sampled
    `tokens` is ``model.decode(tokens[::-1])``, or that of the coarsest level alone
    ``model.decode(tokens[:1], start_level=2)``.
    """

    main_input_name = "labels"
    config: JukeboxConfig

    def __init__(self, config: JukeboxConfig) -> None:
        super().__init__(config)
        self.vqvae = JukeboxVQVAE(config.vqvae_config)
        for prior in config.prior_configs:
            for name in SHARED:
                setattr(prior, name, getattr(config, name))
        self.priors = nn.ModuleList(
            JukeboxPrior(prior, level, config.nb_priors, self.vqvae.encode, self.vqvae.decode)
            for level, prior in enumerate(config.prior_configs[: config.nb_priors])
        )
        self.post_init()

    def encode(
        self, input_audio: Tensor, start_level: int = 0, end_level: int | None = None, bs_chunks: int = 1
    ) -> list[Tensor]:
        """See `JukeboxVQVAE.encode`."""
        return self.vqvae.encode(input_audio, start_level, end_level, bs_chunks)

    def decode(
        self,
        music_tokens: Sequence[Tensor],
        start_level: int = 0,
        end_level: int | None = None,
        bs_chunks: int = 1,
    ) -> Tensor:
        """See `JukeboxVQVAE.decode`."""
        return self.vqvae.decode(music_tokens, start_level, end_level, bs_chunks)

    def ancestral_sample(self, labels: Sequence[Tensor], n_samples: int = 1, **sampling: Any) -> list[Tensor]:
        """Music from nothing but labels: tokens (n_samples, time) of each level, the coarsest first.

        labels: what the tokenizer gives, one tensor a prior, of `n_samples` rows or of one for all.
        sampling: see `continue_sample`, and `sample_levels`, by default all.
        """
        levels = sampling.pop("sample_levels", range(len(self.priors)))
        empty = torch.zeros(n_samples, 0, dtype=torch.long, device=self.device)
        return self._sample([empty] * len(self.priors), labels, levels, **sampling)

    def primed_sample(self, raw_audio: Tensor, labels: Sequence[Tensor], **sampling: Any) -> list[Tensor]:
        """The continuation of a sound (batch, samples, channels), see `ancestral_sample`."""
        tokens = self.encode(raw_audio.to(self.device), bs_chunks=len(raw_audio))
        return self.continue_sample(tokens[::-1][: len(self.priors)], labels, **sampling)

    def continue_sample(
        self, music_tokens: Sequence[Tensor | None], labels: Sequence[Tensor], **sampling: Any
    ) -> list[Tensor]:
        """The continuation of tokens (batch, time) of each level, the coarsest first.

        sampling: `sample_length` in samples, or `sample_length_in_seconds` (24), how long the music
        becomes; `sampling_temperature` (0.98), `top_k` and `top_p` (both off); `chunk_size` (32), how many
        given tokens are read at once; `max_batch_size` (16) of the coarsest level, `lower_batch_size` (16)
        of the others; `sample_tokens`, the most tokens of a level; `offset`, in tokens, of the music in
        the song that the labels' times are of.
        """
        levels = sampling.pop("sample_levels", range(len(self.priors)))
        return self._sample(music_tokens, labels, levels, **sampling)

    def upsample(
        self, music_tokens: Sequence[Tensor | None], labels: Sequence[Tensor], **sampling: Any
    ) -> list[Tensor]:
        """The finer levels of tokens (batch, time) of the coarsest, see `continue_sample`."""
        levels = sampling.pop("sample_levels", range(1, len(self.priors)))
        return self._sample(music_tokens, labels, levels, **sampling)

    @torch.no_grad()
    def _sample(
        self,
        music_tokens: Sequence[Tensor | None],
        labels: Sequence[Tensor],
        sample_levels: Sequence[int],
        *,
        sample_length: int | None = None,
        sample_length_in_seconds: float = 24,
        sampling_temperature: float = 0.98,
        top_k: int = 0,
        top_p: float = 0.0,
        chunk_size: int | None = 32,
        max_batch_size: int = 16,
        lower_batch_size: int = 16,
        sample_tokens: int | None = None,
        offset: int = 0,
        metas: Any = None,
        save_results: bool = False,
    ) -> list[Tensor]:
        """`music_tokens` with the tokens of `sample_levels` sampled; nothing is written to files."""
        coarsest: int = self.priors[0].raw_to_tokens  # type: ignore[assignment]
        if sample_length is None:
            samples = int(sample_length_in_seconds * self.config.sampling_rate)
            sample_length = samples // coarsest * coarsest
        if sample_length < coarsest:
            raise ProcessingError(
                f"sample_length is {sample_length}, but a token of the coarsest level is {coarsest} samples."
            )
        tokens = self._checked(music_tokens, labels, sample_levels)
        for level in sample_levels:
            finest = level == len(self.priors) - 1
            tokens[level] = self._sample_level(
                tokens,
                labels[level].to(self.device),
                level,
                sample_length=sample_length,
                offset=offset,
                most=sample_tokens,
                batch=lower_batch_size if level else max_batch_size,
                temp=0.99 if finest else sampling_temperature,
                top_k=top_k,
                top_p=top_p,
                chunk_size=chunk_size,
            )
        return tokens

    def _checked(
        self, music_tokens: Sequence[Tensor | None], labels: Sequence[Tensor], levels: Sequence[int]
    ) -> list[Tensor]:
        """The tokens of every level on the model's device, empty where there are none."""
        count = len(self.priors)
        if len(labels) != count:
            raise ProcessingError(f"labels holds {len(labels)} tensors for {count} priors.")
        if not all(0 <= level < count for level in levels):
            raise ProcessingError(f"sample_levels names {list(levels)}; there are priors 0 to {count - 1}.")
        given = [None if z is None or (not z.numel() and not len(z)) else z for z in music_tokens]
        rows = max((len(z) for z in given if z is not None), default=len(labels[0]))
        given += [None] * (count - len(given))
        blank = torch.zeros(rows, 0, dtype=torch.long)
        tokens = [(blank if z is None else z).to(self.device) for z in given]
        for name, tensors in (("music_tokens", tokens), ("labels", labels)):
            for level, tensor in enumerate(tensors):
                if len(tensor) not in ((rows, 1) if name == "labels" else (rows,)):
                    raise ProcessingError(f"{name}[{level}] has {len(tensor)} rows, not {rows}.")
        return tokens

    def _sample_level(
        self,
        tokens: Sequence[Tensor],
        labels: Tensor,
        level: int,
        *,
        sample_length: int,
        offset: int,
        most: int | None,
        batch: int,
        **sampling: Any,
    ) -> Tensor:
        """The tokens of `level` up to `sample_length` samples, window after window."""
        prior: JukeboxPrior = self.priors[level]  # type: ignore[assignment]
        found, context = tokens[level], prior.n_ctx
        total = sample_length // prior.raw_to_tokens
        if most is not None:
            total = min(total, int(most))
        hop = max(int(self.config.hop_fraction[level] * context), 1)
        labels = labels.expand(len(found), -1)
        for start in get_starts(total, context, hop) if total >= context else [0]:
            seen, end = found[:, start : start + context], min(start + context, total)
            if seen.shape[1] >= end - start:
                continue
            metadata = prior.get_metadata(labels, start, sample_length, offset)
            above = prior.get_music_tokens_conds(tokens, start, start + context)
            parts = [
                prior.sample(
                    len(seen[rows]),
                    music_tokens=seen[rows],
                    music_tokens_conds=None if above is None else [above[0][rows]],
                    metadata=metadata[rows],
                    sample_tokens=end - start,
                    **sampling,
                )
                for rows in (slice(at, at + batch) for at in range(0, len(found), batch))
            ]
            found = torch.cat([found[:, :start], torch.cat(parts)], dim=1)
        return found
