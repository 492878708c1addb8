"""Models inside models: a composite builds its parts through the registry."""

from __future__ import annotations

from typing import Any

from zoo_core.auto.resolve import model_class
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel


def build_part(config: PretrainedConfig, auto_class: str = "AutoModel", **options: Any) -> PreTrainedModel:
    """The model that `auto_class` has for `config`, from whichever installed package; built with its whole.

    Raises:
        UnknownArchitecture: nothing installed serves this type; the message names what would.
    """
    part: PreTrainedModel = model_class(auto_class, config)(config, **options)
    return part
