"""A config class like those of architectures, and folders with a config.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from zoo_core import registry
from zoo_core.config import PretrainedConfig, field, sub_config


class PlainConfig(PretrainedConfig):
    model_type = "plain"
    attribute_map = {"num_blocks": "num_hidden_layers", "n_embd": "hidden_size"}
    vocab_size: int = 100
    hidden_size: int = 8
    num_hidden_layers: int = 2
    num_attention_heads: int = 2
    num_key_value_heads: int | None = None
    intermediate_size: int = 16
    drop_rate: float = 0.1
    hidden_act: str = "gelu"
    use_cache: bool = True
    depths: list[int] = field([1, 2])
    image_size: int | tuple[int, int] = 32
    position: Literal["absolute", "rotary"] = "absolute"
    rope_scaling: dict[str, Any] | None = None
    layer_types: list[str] | None = None
    max_window: int = -1
    pad_token_id: int | None = 0

    def __post_init__(self) -> None:
        if self.layer_types is None:
            self.layer_types = ["full"] * self.num_hidden_layers

    def check(self) -> Iterator[tuple[str, str]]:
        if self.layer_types is not None and len(self.layer_types) < self.num_hidden_layers:
            yield "layer_types", "must name every layer"


class PlainVisionConfig(PretrainedConfig):
    model_type = "plain_vision"
    base_config_key = "vision_config"
    hidden_size: int = 12
    num_attention_heads: int = 3
    _rate: int = 4


class PairConfig(PretrainedConfig):
    model_type = "pair"
    text_config: PlainConfig = sub_config("plain")
    vision_config: PlainVisionConfig = sub_config(PlainVisionConfig, hidden_size=24)
    extra_config: PretrainedConfig | None = sub_config(None)
    projection_dim: int = 4


@pytest.fixture
def plain() -> type[PlainConfig]:
    return PlainConfig


@pytest.fixture
def vision() -> type[PlainVisionConfig]:
    return PlainVisionConfig


@pytest.fixture
def pair() -> Iterator[type[PairConfig]]:
    """The composite, with its parts known to the registry."""
    with registry.isolated():
        for config in (PlainConfig, PlainVisionConfig, PairConfig):
            registry.register_config(config.model_type, config)
        yield PairConfig


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a config.json with these values; the folder."""

    def folder(values: dict[str, Any] | str, name: str = "config.json") -> Path:
        text = values if isinstance(values, str) else json.dumps(values)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return folder
