"""Configuration of Fuyu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.config import PretrainedConfig, sub_config
from zoo_text.persimmon.config import PersimmonConfig

_OWN = ("image_size", "patch_size", "num_channels", "image_token_id", "text_config", "model_type")


class FuyuConfig(PersimmonConfig):
    """Sizes of the language model, a Persimmon unless `text_config` names another, and of the patches."""

    model_type = "fuyu"

    image_size: int = 300
    patch_size: int = 30
    num_channels: int = 3
    image_token_id: int = 71011
    text_config: PretrainedConfig = sub_config("persimmon")

    def __init__(
        self, *, text_config: PretrainedConfig | Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        if text_config is None:  # the fields here are those of the language model
            fields = PersimmonConfig(**{k: v for k, v in kwargs.items() if k not in _OWN}).to_dict()
            text_config = {**fields, "model_type": "persimmon"}
        super().__init__(text_config=text_config, **kwargs)
