"""Configs of networks whose stages serve other models: which stages are handed out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from zoo_core.config.base import PretrainedConfig
from zoo_core.errors import ConfigError

_CHOICE = ("out_features", "out_indices")


class BackboneConfig(PretrainedConfig):
    """A config with named stages ("stem", "stage1", ...), some of which a backbone returns.

    `out_features` names them, `out_indices` counts them (negative from the end); either follows from the
    other, at construction and on assignment, and without both it is the last stage.
    """

    out_features: list[str] | None = None
    out_indices: list[int] | None = None
    stage_names: list[str] | None = None

    def __post_init__(self) -> None:
        self.__dict__["stage_names"] = self.make_stage_names()
        self._choose(self.out_features, self.out_indices)

    def make_stage_names(self) -> list[str]:
        """The stem, and one stage for each entry of `depths`, or for each layer."""
        depths = getattr(self, "depths", None)
        count = self.num_hidden_layers if depths is None else len(depths)
        return ["stem", *(f"stage{number}" for number in range(1, count + 1))]

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _CHOICE and self.__dict__.get("stage_names") and value is not None:
            features, indices = (value, None) if name == "out_features" else (None, value)
            self._choose(features, indices)

    def _choose(self, features: Sequence[str] | None, indices: Iterable[int] | None) -> None:
        names = self.stage_names or []
        if features is None:
            chosen = [len(names) - 1] if indices is None else list(indices)
            wrong = [i for i in chosen if not -len(names) <= i < len(names)]
            if wrong:
                raise ConfigError(f"out_indices {wrong} lie outside of the {len(names)} stages {names}")
            features = [names[i] for i in chosen]
        else:
            unknown = [name for name in features if name not in names]
            if unknown:
                raise ConfigError(f"out_features {unknown} are not among the stages {names}")
            chosen = [names.index(name) for name in features]
            if indices is not None and [i % len(names) for i in indices] != chosen:
                raise ConfigError(
                    f"out_features {list(features)} and out_indices {list(indices)} name different stages; "
                    "give one of the two"
                )
            chosen = list(chosen if indices is None else indices)
        places = [i % len(names) for i in chosen]
        if places != sorted(set(places)):
            raise ConfigError(f"out_features must follow the order of the stages {names}, got {features}")
        self.__dict__.update(out_features=list(features), out_indices=chosen)
