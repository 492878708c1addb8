"""Configurations of Emu3 and its parts."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_text.llama.config import LlamaLikeConfig


class Emu3TextConfig(LlamaLikeConfig):
    """Sizes and switches of the decoder, a Llama's."""

    model_type = "emu3_text_model"
    base_config_key = "text_config"

    vocab_size: int = 184622
    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 9216
    rms_norm_eps: float = 1e-5
    pad_token_id: int | None = 151643
    bos_token_id: int | None = 151849
    eos_token_id: int | list[int] | None = 151850
    rope_theta: float = 1000000.0
    rope_scaling: dict[str, Any] | None = None
    mlp_bias: bool = False
    attention_bias: bool = False
    attention_dropout: float = 0.1


class Emu3VQVAEConfig(PretrainedConfig):
    """Sizes of the image tokenizer.

    It has a level for each of `channel_multiplier`, each half the size of the one before;
    `attn_resolutions` are the numbers of the levels that attend. Time is halved until
    `temporal_downsample_factor` frames are one.
    """

    model_type = "emu3_vqgan"
    base_config_key = "vq_config"

    codebook_size: int = 32768
    embed_dim: int = 4
    latent_channels: int = 4
    double_latent: bool = False
    in_channels: int = 3
    out_channels: int = 3
    temporal_downsample_factor: int = 4
    base_channels: int = 256
    channel_multiplier: list[int] = field([1, 2, 2, 4])
    num_res_blocks: int = 2
    attn_resolutions: list[int] | None = field([3])
    hidden_size: int = 1024
    num_attention_heads: int = 1
    attention_dropout: float = 0.0


class Emu3Config(PretrainedConfig):
    """Both parts, and which token stands for each image code."""

    model_type = "emu3"

    vq_config: Emu3VQVAEConfig = sub_config(Emu3VQVAEConfig)
    text_config: Emu3TextConfig = sub_config(Emu3TextConfig)
    vocabulary_map: dict[str, int] | None = None
    image_token_id: int | None = None

    def __post_init__(self) -> None:
        self.image_token_id = (self.vocabulary_map or {}).get("<image>")
