"""Configurations of Chameleon and its image tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_text.llama.config import LlamaLikeConfig


class ChameleonVQVAEConfig(PretrainedConfig):
    """Sizes of the image tokenizer, a VQGAN's encoder.

    The encoder has a level for each of `channel_multiplier`, each half the size of the one before;
    `attn_resolutions` are the sizes at which it attends.
    """

    model_type = "chameleon_vqgan"
    base_config_key = "vq_config"

    embed_dim: int = 256
    num_embeddings: int = 8192
    double_latent: bool = False
    latent_channels: int = 256
    resolution: int = 512
    in_channels: int = 3
    base_channels: int = 128
    channel_multiplier: list[int] = field([1, 1, 2, 2, 4])
    num_res_blocks: int = 2
    attn_resolutions: list[int] | None = None
    dropout: float = 0.0
    attn_type: str = "vanilla"
    initializer_range: float = 0.02


class ChameleonConfig(LlamaLikeConfig):
    """Sizes and switches of the decoder, and which token stands for each image code.

    `vocabulary_map` holds every token with its id; those of image codes are called IMGIMG and the code's
    digits as letters (A is 0), and Z. `swin_norm` puts the norms behind the blocks.
    """

    model_type = "chameleon"

    vocab_size: int = 65536
    num_key_value_heads: int | None = 32
    max_position_embeddings: int = 4096
    rms_norm_eps: float = 1e-5
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    model_parallel_size: int = 1
    swin_norm: bool = False
    vq_config: ChameleonVQVAEConfig = sub_config(ChameleonVQVAEConfig)
    vocabulary_map: dict[str, int] | None = None
    image_token_id: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.image_token_id = (self.vocabulary_map or {}).get("<image>")

    def check(self) -> Iterator[tuple[str, str]]:
        if self.vq_config.attn_type not in ("vanilla", "none"):
            yield "vq_config.attn_type", 'must be "vanilla" or "none"'
