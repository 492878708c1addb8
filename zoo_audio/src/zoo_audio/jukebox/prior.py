"""Jukebox's priors: what predicts the tokens of one level of the VQ-VAE."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.jukebox.conditioning import JukeboxLabelConditioner, JukeboxMusicTokenConditioner
from zoo_audio.jukebox.config import JukeboxPriorConfig
from zoo_audio.jukebox.transformer import JukeboxConditionalAutoregressive, JukeboxLyricsEncoder
from zoo_audio.jukebox.vqvae import init_jukebox
from zoo_core.errors import ProcessingError
from zoo_core.modeling.initialization import initialize_module
from zoo_core.modeling.model import PreTrainedModel


class JukeboxPrior(PreTrainedModel):
    """The prior of one level, numbered from the coarsest, 0. Metadata are rows of

    total length, offset, length (in samples), artist, genres (-1 where none), and lyrics.
    """

    config_class = JukeboxPriorConfig
    base_model_prefix = "prior"
    main_input_name = "hidden_states"
    config: JukeboxPriorConfig

    def __init__(
        self,
        config: JukeboxPriorConfig,
        level: int | None = None,
        nb_priors: int = 3,
        vqvae_encoder: Callable[..., list[Tensor]] | None = None,
        vqvae_decoder: Callable[..., Tensor] | None = None,
    ) -> None:
        super().__init__(config)
        self.level = config.level if level is None else level
        self.levels = nb_priors
        self.vqvae_encoder, self.vqvae_decoder = vqvae_encoder, vqvae_decoder
        self.n_ctx = config.n_ctx
        self.nb_relevant_lyric_tokens = lyrics = config.nb_relevant_lyric_tokens
        self.merges_lyrics = config.is_encoder_decoder
        steps = [stride**down for stride, down in zip(config.res_strides_t, config.res_downs_t, strict=True)]
        self.raw_to_tokens = math.prod(steps[: nb_priors - self.level])
        self.sample_length = self.n_ctx * self.raw_to_tokens
        if self.level:
            self.cond_downsample = steps[self.level]
            self.conditioner_blocks = JukeboxMusicTokenConditioner(config, self.level)
        if config.metadata_conditioning:
            self.metadata_embedding = JukeboxLabelConditioner(config, timed=not self.level)
        length, vocabulary = self.n_ctx, config.music_vocab_size
        if self.merges_lyrics:
            length, vocabulary = length + lyrics, vocabulary + config.lyric_vocab_size
        elif lyrics:
            self.encoder = JukeboxLyricsEncoder(
                config.encoder_config or JukeboxPriorConfig(),
                length=lyrics,
                vocabulary=config.lyric_vocab_size,
                width=config.hidden_size,
            )
        self.prior = JukeboxConditionalAutoregressive(
            config, length=length, vocabulary=vocabulary, started=config.metadata_conditioning
        )
        self.post_init()

    def ties(self) -> dict[str, str]:
        return {} if self.config.merged_decoder else {"prior.fc_proj_out.weight": "prior.embed_tokens.weight"}

    def _init_weights(self, module: nn.Module) -> None:
        if not init_jukebox(module, self.config):
            initialize_module(module, std=0.02 * self.config.init_scale)

    # Metadata

    def get_metadata(self, labels: Tensor, start: int, total_length: int, offset: int) -> Tensor:
        """The metadata (batch, 4 + genres + lyrics) of the window of tokens that begins at `start`.

        labels (batch, 4 + genres + all lyrics) come from the tokenizer; total_length is in samples, offset
        in tokens of this level.
        """
        labels = labels.clone()
        labels[:, 0] = int(total_length)
        labels[:, 1] = (int(offset) + int(start)) * self.raw_to_tokens
        labels[:, 2] = self.sample_length
        return self.set_metadata_lyric_tokens(labels)

    def set_metadata_lyric_tokens(self, labels: Tensor) -> Tensor:
        """`labels` with only the lyrics around their window: those that its middle points at, by time."""
        known, wanted = 4 + self.config.max_nb_genres, self.nb_relevant_lyric_tokens
        if labels.ndim != 2 or labels.shape[1] < known:
            raise ProcessingError(
                f"Labels of this prior are rows of at least {known} numbers (total length, offset, length, "
                f"artist, {self.config.max_nb_genres} genres, lyrics), not {tuple(labels.shape)}."
            )
        rows, lyrics = labels[:, :known], labels[:, known:]
        if not wanted:
            return rows
        count = lyrics.shape[1]
        if count <= wanted:
            return torch.cat([rows, F.pad(lyrics, (wanted - count, 0))], dim=1)
        total, offset, length = (rows[:, column].double() for column in range(3))
        half = wanted // 2
        middle = (count * (offset + length / 2) / total).long().clamp(half, count - wanted + half)
        window = middle[:, None] - half + torch.arange(wanted, device=labels.device)
        return torch.cat([rows, lyrics.gather(1, window)], dim=1)

    def get_music_tokens_conds(
        self, music_tokens: Sequence[Tensor], start: int, end: int
    ) -> list[Tensor] | None:
        """The tokens of the coarser level over this level's `start` to `end`, zeros where they are missing.

        None for the coarsest level.
        """
        if not self.level:
            return None
        ratio = self.cond_downsample
        above = music_tokens[self.level - 1][:, start // ratio : end // ratio].long()
        return [F.pad(above, (0, (end - start) // ratio - above.shape[1]))]

    # What the transformer is told

    def get_cond(
        self, music_tokens_conds: Sequence[Tensor] | None, metadata: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Conditions (batch, context, size), start (batch, 1, size) and lyrics (batch, relevant lyrics)."""
        start = conditions = lyrics = None
        if metadata is not None:
            known, wanted = 4 + self.config.max_nb_genres, self.nb_relevant_lyric_tokens
            if metadata.ndim != 2 or metadata.shape[1] != known + wanted:
                raise ProcessingError(
                    f"Metadata of this prior are rows of {known + wanted} numbers, as get_metadata gives "
                    f"them, not {tuple(metadata.shape)}."
                )
            lyrics = metadata[:, known:] if wanted else None
            if self.config.metadata_conditioning:
                start, conditions = self.metadata_embedding(metadata[:, :known])
        elif self.config.metadata_conditioning or self.nb_relevant_lyric_tokens:
            raise ProcessingError("This prior needs metadata: see JukeboxPrior.get_metadata.")
        if self.level:
            if not music_tokens_conds:
                raise ProcessingError(f"The prior of level {self.level} needs tokens of the level above it.")
            conditions = self.conditioner_blocks(music_tokens_conds[0])
        return conditions, start, lyrics

    def get_encoder_states(self, lyric_tokens: Tensor | None) -> Tensor | None:
        """Lyrics (batch, relevant lyrics) as states for the transformer; None without an encoder."""
        return self.encoder(lyric_tokens) if hasattr(self, "encoder") else None

    def get_encoder_loss(
        self, last_encoder_hidden_states: Tensor | None, target_lyrics: Tensor | None
    ) -> Tensor:
        """Bits that a token of the lyrics costs the encoder; 0 without one."""
        if last_encoder_hidden_states is None or target_lyrics is None:
            return torch.zeros((), device=self.device)
        return _bits(self.encoder.lm_head(last_encoder_hidden_states), target_lyrics)

    def _merge(
        self, lyrics: Tensor | None, music: Tensor, conditions: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """One sequence of lyrics and music, in one vocabulary, and its conditions."""
        if not self.merges_lyrics or lyrics is None:
            return music, conditions
        tokens = torch.cat([lyrics, music + self.config.lyric_vocab_size], dim=1)
        return tokens, None if conditions is None else F.pad(conditions, (0, 0, lyrics.shape[1], 0))

    # Training

    def forward_tokens(
        self,
        music_tokens: Tensor,
        music_tokens_conds: Sequence[Tensor] = (),
        metadata: Tensor | None = None,
        get_preds: bool = False,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss over tokens (batch, time), in bits a token, and its parts: `bpd` and

        `next_token_prediction_loss` of the music, `encoder_loss` of the lyrics; `preds` are the logits.
        """
        conditions, start, lyrics = self.get_cond(music_tokens_conds, metadata)
        tokens, conditions = self._merge(lyrics, music_tokens, conditions)
        states = self.get_encoder_states(lyrics)
        logits = self.prior(tokens, start, conditions, states)
        front = tokens.shape[1] - music_tokens.shape[1]
        if front:
            encoder_loss = _bits(logits[:, :front], tokens[:, :front])
        else:
            encoder_loss = self.get_encoder_loss(states, lyrics)
        music_loss = _bits(logits[:, front:], tokens[:, front:])
        read = self.nb_relevant_lyric_tokens
        loss = self.config.encoder_loss_fraction * encoder_loss * read + music_loss * self.n_ctx
        metrics = {
            "bpd": music_loss.detach(),
            "encoder_loss": encoder_loss.detach(),
            "next_token_prediction_loss": music_loss.detach(),
        }
        if get_preds:
            metrics["preds"] = logits.detach()
        return loss / (read + self.n_ctx), metrics

    def encode(self, hidden_states: Tensor, bs_chunks: int = 1) -> list[Tensor]:
        """Sound (batch, samples, channels) as the tokens of this level and of the coarser ones."""
        if self.vqvae_encoder is None:
            raise ProcessingError("This prior has no VQ-VAE: give it vqvae_encoder, or use JukeboxModel.")
        finest = self.levels - 1 - self.level
        return self.vqvae_encoder(hidden_states, finest, self.levels, bs_chunks)

    def decode(self, music_tokens: Sequence[Tensor], bs_chunks: int = 1) -> Tensor:
        """What `encode` gave, as sound (batch, samples, channels)."""
        if self.vqvae_decoder is None:
            raise ProcessingError("This prior has no VQ-VAE: give it vqvae_decoder, or use JukeboxModel.")
        finest = self.levels - 1 - self.level
        return self.vqvae_decoder(music_tokens, finest, self.levels, bs_chunks)

    def forward(
        self, hidden_states: Tensor, metadata: Tensor | None, decode: bool = False, get_preds: bool = False
    ) -> tuple[Tensor | None, Tensor, dict[str, Tensor]]:
        """The sound again where `decode`, the loss and its parts, of sound (batch, samples, channels)."""
        tokens, *coarser = self.encode(hidden_states, bs_chunks=len(hidden_states))
        loss, metrics = self.forward_tokens(tokens, coarser[:1], metadata, get_preds=get_preds)
        return self.decode([tokens, *coarser]) if decode else None, loss, metrics

    # Sampling

    @torch.no_grad()
    def sample(
        self,
        n_samples: int,
        music_tokens: Tensor | None = None,
        music_tokens_conds: Sequence[Tensor] | None = None,
        metadata: Tensor | None = None,
        temp: float = 1.0,
        top_k: int = 0,
        top_p: float = 0.0,
        chunk_size: int | None = None,
        sample_tokens: int | None = None,
    ) -> Tensor:
        """Tokens (n_samples, sample_tokens): `music_tokens` (n_samples, time), or nothing, continued.

        chunk_size: how many of the given tokens are read at once. sample_tokens: the whole context if None.
        """
        _check_sampling(temp, top_k, top_p, chunk_size)
        if music_tokens is None:
            music_tokens = torch.zeros(n_samples, 0, dtype=torch.long, device=self.device)
        for name, given in (("music_tokens", music_tokens), ("metadata", metadata)):
            if given is not None and len(given) != n_samples:
                raise ProcessingError(f"{name} has {len(given)} rows for {n_samples} samples.")
        conditions, start, lyrics = self.get_cond(music_tokens_conds, metadata)
        tokens, conditions = self._merge(lyrics, music_tokens, conditions)
        front = tokens.shape[1] - music_tokens.shape[1]
        wanted = self.n_ctx if sample_tokens is None else int(sample_tokens)
        found = self.prior.sample(
            tokens,
            start,
            conditions,
            self.get_encoder_states(lyrics),
            temp=temp,
            top_k=top_k,
            top_p=top_p,
            chunk_size=chunk_size,
            sample_tokens=front + wanted,
        )
        shift = self.config.lyric_vocab_size if front else 0
        return (found[:, front:] - shift).clamp(min=0)


def _bits(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross entropy in bits."""
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten()) / math.log(2.0)


def _check_sampling(temp: float, top_k: int, top_p: float, chunk_size: int | None) -> None:
    rules = {
        f"sampling_temperature must be above 0, not {temp}": temp > 0,
        f"top_k must be 0 (off) or a number of tokens, not {top_k}": top_k >= 0,
        f"top_p must be within 0 (off) and 1, not {top_p}": 0 <= top_p <= 1,
        f"chunk_size must be None or at least 1, not {chunk_size}": chunk_size is None or chunk_size >= 1,
    }
    if broken := [rule for rule, kept in rules.items() if not kept]:
        raise ProcessingError("; ".join(broken) + ".")
