"""Configurations of CLAP and its towers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config import PretrainedConfig, field, sub_config


class ClapTextConfig(PretrainedConfig):
    """Sizes and switches of the text tower, a RoBERTa."""

    model_type = "clap_text_model"
    base_config_key = "text_config"

    vocab_size: int = 50265
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 514
    type_vocab_size: int = 1
    initializer_factor: float = 1.0
    layer_norm_eps: float = 1e-12
    projection_dim: int = 512
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    position_embedding_type: str = "absolute"
    use_cache: bool = True
    projection_hidden_act: str = "relu"


class ClapAudioConfig(PretrainedConfig):
    """Sizes and switches of the sound tower, a Swin over a spectrogram folded to a square.

    `hidden_size` is the width of the last stage; the first one's is `patch_embeds_hidden_size`.
    """

    model_type = "clap_audio_model"
    base_config_key = "audio_config"
    attribute_map = {"embed_dim": "patch_embeds_hidden_size", "num_heads": "num_attention_heads"}

    window_size: int = 8
    num_mel_bins: int = 64
    spec_size: int = 256
    hidden_act: str = "gelu"
    patch_size: int = 4
    patch_stride: int | list[int] = field([4, 4])
    num_classes: int = 527
    hidden_size: int = 768
    projection_dim: int = 512
    depths: list[int] = field([2, 2, 6, 2])
    num_attention_heads: list[int] = field([4, 8, 16, 32])
    enable_fusion: bool = False
    hidden_dropout_prob: float = 0.1
    fusion_type: str | None = None
    patch_embed_input_channels: int = 1
    flatten_patch_embeds: bool = True
    patch_embeds_hidden_size: int = 96
    enable_patch_layer_norm: bool = True
    drop_path_rate: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    qkv_bias: bool = True
    mlp_ratio: float = 4.0
    aff_block_r: int = 4
    num_hidden_layers: int = 4
    projection_hidden_act: str = "relu"
    layer_norm_eps: float = 1e-5
    initializer_factor: float = 1.0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.num_mel_bins < 1 or self.spec_size % self.num_mel_bins:
            yield "num_mel_bins", f"must divide spec_size, which is {self.spec_size}"
        if self.hidden_size != self.patch_embeds_hidden_size * 2 ** (len(self.depths) - 1):
            yield "hidden_size", "must be patch_embeds_hidden_size, doubled from stage to stage"
        if self.fusion_type == "channel_map":
            yield "fusion_type", "channel_map has no released checkpoint; use None or 'aff_2d'"


class ClapConfig(PretrainedConfig):
    """Both towers, and the space that they project to."""

    model_type = "clap"

    text_config: ClapTextConfig = sub_config(ClapTextConfig)
    audio_config: ClapAudioConfig = sub_config(ClapAudioConfig)
    logit_scale_init_value: float = 1 / 0.07
    projection_dim: int = 512
    projection_hidden_act: str = "relu"
    initializer_factor: float = 1.0
    hidden_size: int | None = None
    num_hidden_layers: int | None = None

    def __post_init__(self) -> None:
        for tower in (self.text_config, self.audio_config):
            tower.projection_dim = self.projection_dim
            tower.projection_hidden_act = self.projection_hidden_act
        self.hidden_size = self.text_config.hidden_size
        self.num_hidden_layers = self.text_config.num_hidden_layers + len(self.audio_config.depths)
        super().__post_init__()

    @classmethod
    def from_text_audio_configs(
        cls, text_config: PretrainedConfig, audio_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), audio_config=audio_config.to_dict(), **kwargs)
