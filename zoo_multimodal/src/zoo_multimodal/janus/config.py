"""Configurations of Janus, its image tower and its image tokenizer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class JanusVisionConfig(PretrainedConfig):
    """Sizes of the image tower; `depth` counts the linear maps from its features to the language model."""

    model_type = "janus_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    num_channels: int = 3
    patch_size: int = 16
    image_size: int = 384
    attention_dropout: float = 0.0
    layer_norm_eps: float = 1e-6
    hidden_act: str = "gelu"
    mlp_ratio: int | float = 4.0
    attention_bias: bool = True
    hidden_dropout_rate: float = 0.0
    projection_dim: int = 2048
    projection_dropout: float = 0.0
    use_qk_norm: bool = False
    initializer_range: float = 0.02
    depth: int = 2
    num_image_tokens: int = 576
    vision_use_head: bool = False

    @property
    def intermediate_size(self) -> int:
        """Width of the feed-forward blocks."""
        return int(self.hidden_size * self.mlp_ratio)


class JanusVQVAEConfig(PretrainedConfig):
    """Sizes of the image tokenizer, a VQGAN, whose images are squares of `num_patches` codes a side.

    `num_hidden_layers` counts the linear maps from codes to the language model, of width `projection_dim`.
    """

    model_type = "janus_vqgan"
    base_config_key = "vq_config"

    embed_dim: int = 8
    num_embeddings: int = 16384
    double_latent: bool = False
    latent_channels: int = 256
    num_patches: int = 32
    in_channels: int = 3
    out_channels: int = 3
    base_channels: int = 128
    channel_multiplier: list[int] = field([1, 1, 2, 2, 4])
    num_res_blocks: int = 2
    dropout: float = 0.0
    initializer_range: float = 0.02
    projection_dim: int = 2048
    num_hidden_layers: int = 2
    hidden_act: str = "gelu"
    image_token_embed_dim: int = 2048

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.channel_multiplier:
            yield "channel_multiplier", "must name at least one level"


class JanusConfig(PretrainedConfig):
    """An image tower to read with, an image tokenizer to draw with, and a Llama."""

    model_type = "janus"

    text_config: PretrainedConfig = sub_config("llama")
    vision_config: JanusVisionConfig = sub_config(JanusVisionConfig, fixed=True)
    vq_config: JanusVQVAEConfig = sub_config(JanusVQVAEConfig, fixed=True)
    image_token_id: int = 100581
    initializer_range: float = 0.02
