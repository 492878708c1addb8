"""What all heads share: a base model under `model`, stored in files under the family's prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel


class Headed(PreTrainedModel):
    """A base model of `base_class`, built with `base_options`, and whatever a head adds."""

    base_class: ClassVar[type[PreTrainedModel]]
    base_options: ClassVar[Mapping[str, Any]] = {}
    #: name of the base model in files where this class departs from `base_model_prefix`
    base_name: ClassVar[str | None] = None
    #: canonical to Hub names of the head's own parts
    head_names: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.model = self.base_class(config, **self.base_options)
        self.build_head(config)
        self.post_init()

    @property
    def hub_names(self) -> Mapping[str, Any]:  # type: ignore[override]
        base = self.base_model_prefix if self.base_name is None else self.base_name
        return {"model": base, **self.head_names}

    def build_head(self, config: PretrainedConfig) -> None:
        """Create the head's parts; called once the base model stands."""
        raise NotImplementedError


def classifier_dropout(config: PretrainedConfig) -> nn.Dropout:
    """Dropout before a classifier: `classifier_dropout`, by default that of the hidden states."""
    for name in ("classifier_dropout", "classifier_dropout_prob", "hidden_dropout_prob", "hidden_dropout"):
        probability = getattr(config, name, None)
        if probability is not None:
            return nn.Dropout(probability)
    return nn.Dropout(0.0)
