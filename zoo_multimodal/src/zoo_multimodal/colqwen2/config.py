"""Configuration of ColQwen2."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class ColQwen2Config(PretrainedConfig):
    """A Qwen2-VL, each of whose tokens gets an embedding of width `embedding_dim`."""

    model_type = "colqwen2"

    vlm_config: PretrainedConfig = sub_config("qwen2_vl")
    embedding_dim: int = 128
    initializer_range: float = 0.02
