"""Configuration of ColPali."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, sub_config


class ColPaliConfig(PretrainedConfig):
    """A PaliGemma, each of whose tokens gets an embedding of width `embedding_dim`."""

    model_type = "colpali"

    vlm_config: PretrainedConfig = sub_config("paligemma")
    text_config: PretrainedConfig = sub_config("gemma")
    embedding_dim: int = 128

    def __init__(self, *, text_config: Any = None, **kwargs: Any) -> None:
        super().__init__(text_config=text_config, **kwargs)
        if text_config is None:
            self.text_config = self.vlm_config.text_config
