"""Configuration of Jukebox: one VQ-VAE, and a prior for each of its levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from zoo_core.config import PretrainedConfig, field, sub_config

SPARSE = ("block_attn", "transpose_block_attn", "prev_block_attn")


def _with_lyrics_encoder(index: int) -> str:
    """Every tenth layer from the nineteenth on reads the lyrics' encoder; the three kinds go on around it."""
    if index % 10 == 8 and index > 8:
        return "cross_attention"
    return SPARSE[(index - (index - 9) // 10) % 3 if index > 18 else index % 3]


def _with_lyrics_in_front(index: int) -> str:
    """Every sixteenth layer reads the lyrics before the music; the forty-eighth everything."""
    if index % 16 == 15:
        return "dense_attn" if index == 47 else "prime_attn"
    return SPARSE[index % 3]


ATTENTION_PATTERNS: Mapping[str, Callable[[int], str]] = {
    "full_dense_attention": lambda index: "dense_attn",
    "raw_column_previous_row_attention": lambda index: SPARSE[index % 3],
    "large_separated_enc_dec_w_lyrics": _with_lyrics_encoder,
    "enc_dec_with_lyrics": _with_lyrics_in_front,
}
"""What the layers of a transformer attend to, by the number of the layer."""


class JukeboxVQVAEConfig(PretrainedConfig):
    """Sizes of the VQ-VAE; lists hold a value for each level, the finest first."""

    model_type = "jukebox_vqvae"
    base_config_key = "vqvae_config"

    act_fn: str = "relu"
    nb_discrete_codes: int = 2048
    commit: float = 0.02
    conv_input_shape: int = 1
    conv_res_scale: bool = False
    embed_dim: int = 64
    hop_fraction: list[float] = field([0.125, 0.5, 0.5])
    levels: int = 3
    lmu: float = 0.99
    multipliers: list[int] = field([2, 1, 1])
    res_conv_depth: int = 4
    res_conv_width: int = 32
    res_convolution_multiplier: float = 1
    res_dilation_cycle: int | None = None
    res_dilation_growth_rate: int = 3
    res_downs_t: list[int] = field([3, 2, 2])
    res_strides_t: list[int] = field([2, 2, 2])
    sample_length: int = 1058304
    init_scale: float = 0.2
    zero_out: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("multipliers", "res_downs_t", "res_strides_t", "hop_fraction"):
            if len(getattr(self, name)) < self.levels:
                yield name, f"must hold a value for each of the {self.levels} levels"

    @property
    def hop_lengths(self) -> list[int]:
        """Samples of a token, for each level."""
        steps = [stride**down for stride, down in zip(self.res_strides_t, self.res_downs_t, strict=False)]
        return [math.prod(steps[: level + 1]) for level in range(self.levels)]


class JukeboxPriorConfig(PretrainedConfig):
    """Sizes of a prior: the transformer over the tokens of one level, and what it is told about them."""

    model_type = "jukebox_prior"
    heads_divide_width = False
    attribute_map = {"max_position_embeddings": "n_ctx", "num_attention_heads": "n_heads"}

    act_fn: str = "quick_gelu"
    level: int = 0
    alignment_head: int = 2
    alignment_layer: int = 68
    attention_multiplier: float = 0.25
    attention_pattern: str = "enc_dec_with_lyrics"
    attn_dropout: float = 0
    attn_res_scale: bool = False
    blocks: int = 64
    conv_res_scale: bool | None = None
    num_layers: int = 72
    emb_dropout: float = 0
    encoder_config: Any = None
    encoder_loss_fraction: float = 0.4
    hidden_size: int = 2048
    init_scale: float = 0.2
    is_encoder_decoder: bool = True
    lyric_vocab_size: int = 80
    mask: bool = False
    max_duration: float = 600
    max_nb_genres: int = 1
    merged_decoder: bool = True
    metadata_conditioning: bool = True
    metadata_dims: list[int] = field([604, 7898])
    min_duration: float = 0
    mlp_multiplier: float = 1.0
    music_vocab_size: int = 2048
    n_ctx: int = 6144
    n_heads: int = 2
    nb_relevant_lyric_tokens: int = 384
    res_conv_depth: int = 3
    res_conv_width: int = 128
    res_convolution_multiplier: float = 1
    res_dilation_cycle: int | None = None
    res_dilation_growth_rate: int = 1
    res_downs_t: list[int] = field([3, 2, 2])
    res_strides_t: list[int] = field([2, 2, 2])
    resid_dropout: float = 0
    sampling_rate: int = 44100
    spread: bool | None = None
    timing_dims: int = 64
    zero_out: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.encoder_config, Mapping):
            self.encoder_config = JukeboxPriorConfig.from_dict(dict(self.encoder_config))

    def check(self) -> Iterator[tuple[str, str]]:
        if self.attention_pattern not in ATTENTION_PATTERNS:
            yield "attention_pattern", f"must be one of {', '.join(map(repr, ATTENTION_PATTERNS))}"
        if self.encoder_config is not None and not isinstance(self.encoder_config, JukeboxPriorConfig):
            yield "encoder_config", "must be an object of a prior's fields"
        if len(self.res_downs_t) != len(self.res_strides_t):
            yield "res_strides_t", "must hold as many values as res_downs_t"
        if self.n_heads < 1 or self.blocks < 1:
            yield "n_heads", "must, as blocks, be at least 1"
        elif int(self.attention_multiplier * self.hidden_size) % self.n_heads:
            yield "n_heads", "must divide attention_multiplier * hidden_size"
        if len(self.metadata_dims) != 2:
            yield "metadata_dims", "must be the numbers of genres and of artists"


SHARED = (
    "sampling_rate",
    "timing_dims",
    "min_duration",
    "max_duration",
    "max_nb_genres",
    "metadata_conditioning",
)
"""What the model tells all its priors."""


class JukeboxConfig(PretrainedConfig):
    """A VQ-VAE (`vqvae_config`) and the priors of its levels (`prior_config_list`), the coarsest first.

    Older files name the priors one by one, `prior_0`, `prior_1`, ...; they are read as the list.
    """

    model_type = "jukebox"
    attribute_map = {"prior_configs": "prior_config_list"}

    vqvae_config: JukeboxVQVAEConfig = sub_config(JukeboxVQVAEConfig, fixed=True)
    prior_config_list: list[Any] = field([])
    nb_priors: int = 3
    sampling_rate: int = 44100
    timing_dims: int = 64
    min_duration: float = 0
    max_duration: float = 600.0
    max_nb_genres: int = 5
    metadata_conditioning: bool = True
    hop_fraction: list[float] = field([])

    def __post_init__(self) -> None:
        levels = range(min(self.nb_priors, self.vqvae_config.levels))
        single = [self.__dict__.pop(f"prior_{level}", {}) for level in levels]
        self.prior_config_list = [
            JukeboxPriorConfig.from_dict(dict(prior)) if isinstance(prior, Mapping) else prior
            for prior in self.prior_config_list or single
        ]
        self.hop_fraction = self.vqvae_config.hop_fraction

    def check(self) -> Iterator[tuple[str, str]]:
        if not all(isinstance(prior, JukeboxPriorConfig) for prior in self.prior_config_list):
            yield "prior_config_list", "must hold objects of a prior's fields"
        if self.nb_priors < 1:
            yield "nb_priors", "must be at least 1"
        if len(self.prior_config_list) < self.nb_priors:
            yield "prior_config_list", f"must hold the configs of {self.nb_priors} priors"
        if self.nb_priors > self.vqvae_config.levels:
            yield "nb_priors", f"must not exceed the {self.vqvae_config.levels} levels of the VQ-VAE"

    @classmethod
    def from_configs(
        cls, prior_configs: list[JukeboxPriorConfig], vqvae_config: JukeboxVQVAEConfig, **kwargs: Any
    ) -> Self:
        """The config of a model of these parts."""
        return cls(
            prior_config_list=prior_configs,
            vqvae_config=vqvae_config,
            nb_priors=len(prior_configs),
            **kwargs,
        )
