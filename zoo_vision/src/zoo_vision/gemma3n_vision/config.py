"""Configuration of Gemma 3n's image tower."""

from __future__ import annotations

from zoo_vision.timm_wrapper.config import TimmWrapperConfig


class Gemma3nVisionConfig(TimmWrapperConfig):
    """The network's name in timm, its width, and the part of the vocabulary that belongs to images.

    vocab_offset: the first of `vocab_size` ids that have embeddings of their own.
    """

    model_type = "gemma3n_vision"
    base_config_key = "vision_config"

    do_pooling: bool = False
    architecture: str = "mobilenetv5_300m_enc"
    hidden_size: int = 2048
    vocab_size: int = 128
    vocab_offset: int = 262144
    rms_norm_eps: float = 1e-6
