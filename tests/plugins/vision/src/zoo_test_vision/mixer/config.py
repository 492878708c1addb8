"""Configuration of MLP-Mixer."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class MixerConfig(PretrainedConfig):
    """Sizes of S/16."""

    model_type = "mixer"

    image_size: int = 224
    patch_size: int = 16
    num_channels: int = 3
    hidden_size: int = 512
    tokens_mlp_dim: int = 256
    channels_mlp_dim: int = 2048
    num_hidden_layers: int = 8
