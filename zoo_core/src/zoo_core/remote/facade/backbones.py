"""Backbones: which stages of a model a larger one takes features from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def get_aligned_output_features_output_indices(
    out_features: Sequence[str] | None, out_indices: Sequence[int] | None, stage_names: Sequence[str]
) -> tuple[list[str], list[int]]:
    """Names and numbers of the chosen stages, each from the other; the last stage when neither is given."""
    names = list(stage_names)
    if out_features is None and out_indices is None:
        return [names[-1]], [len(names) - 1]
    if out_features is None:
        assert out_indices is not None
        return [names[index] for index in out_indices], list(out_indices)
    if out_indices is None:
        return list(out_features), [names.index(name) for name in out_features]
    return list(out_features), list(out_indices)


def verify_backbone_config_arguments(
    use_timm_backbone: bool,
    use_pretrained_backbone: bool,
    backbone: str | None,
    backbone_config: Any,
    backbone_kwargs: dict[str, Any] | None,
) -> None:
    """Raise ``ValueError`` for settings that contradict each other."""
    if backbone is not None and backbone_config is not None:
        raise ValueError("backbone and backbone_config exclude each other")
    if backbone_kwargs and backbone_config is not None:
        raise ValueError("backbone_kwargs and backbone_config exclude each other")
    if backbone_config is not None and use_timm_backbone:
        raise ValueError("backbone_config and use_timm_backbone exclude each other")


def load_backbone(config: Any) -> Any:
    """The backbone that ``config.backbone_config`` describes, without weights."""
    from zoo_core.auto.models import AutoBackbone

    described = getattr(config, "backbone_config", None)
    if described is None:
        raise ValueError("the config has no backbone_config; backbones by name cannot be fetched from inside")
    return AutoBackbone.from_config(described)


class _Stages:
    """Chosen stages, kept in step by name and by number."""

    stage_names: list[str]
    _out_features: list[str]
    _out_indices: list[int]

    @property
    def out_features(self) -> list[str]:
        return self._out_features

    @out_features.setter
    def out_features(self, value: Sequence[str]) -> None:
        self._choose(value, None)

    @property
    def out_indices(self) -> list[int]:
        return self._out_indices

    @out_indices.setter
    def out_indices(self, value: Sequence[int]) -> None:
        self._choose(None, value)

    def _choose(self, features: Sequence[str] | None, indices: Sequence[int] | None) -> None:
        self._out_features, self._out_indices = get_aligned_output_features_output_indices(
            features, indices, self.stage_names
        )


class BackboneConfigMixin(_Stages):
    """For configs of models that can serve as backbones."""


class BackboneMixin(_Stages):
    """For models that can serve as backbones; `_init_backbone` comes before use."""

    num_features: list[int]
    has_attentions = True

    def _init_backbone(self, config: Any) -> None:
        self.stage_names = list(config.stage_names)
        self._choose(getattr(config, "out_features", None), getattr(config, "out_indices", None))

    @property
    def out_feature_channels(self) -> dict[str, int]:
        return dict(zip(self.stage_names, self.num_features, strict=False))

    @property
    def channels(self) -> list[int]:
        """Channels of the chosen stages."""
        return [self.out_feature_channels[name] for name in self.out_features]

    def forward_with_filtered_kwargs(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model with those keywords that its forward takes."""
        import inspect

        taken = inspect.signature(self.forward).parameters  # type: ignore[attr-defined]
        return self(*args, **{key: value for key, value in kwargs.items() if key in taken})  # type: ignore[operator]
