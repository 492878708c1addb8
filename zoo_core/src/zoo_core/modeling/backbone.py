"""Networks that hand the feature maps of some stages to other models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor

from zoo_core.config import PretrainedConfig
from zoo_core.config.parts import config_class_for
from zoo_core.errors import ConfigError
from zoo_core.heads.base import Headed
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BackboneOutput, ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.recording import HIDDEN_STATES, wants


class Backbone(Headed):
    """A base model whose states at `config.out_indices` become feature maps.

    A subclass names `base_class` and defines `num_features`; where states are not maps already, or are
    normalised first, it defines `feature_map`.
    """

    main_input_name = "pixel_values"
    base_name = ""

    def build_head(self, config: PretrainedConfig) -> None:
        """Most backbones add nothing."""

    @property
    def num_features(self) -> list[int]:
        """Channels of every stage, the stem first."""
        raise NotImplementedError

    @property
    def stage_names(self) -> list[str]:
        """Names of all stages, the stem first."""
        return list(self.config.stage_names)

    @property
    def out_features(self) -> list[str]:
        """Names of the returned stages."""
        return list(self.config.out_features)

    @property
    def out_indices(self) -> list[int]:
        """Indices of the returned stages."""
        return [index % len(self.stage_names) for index in self.config.out_indices]

    @property
    def channels(self) -> list[int]:
        """Channels of each returned feature map."""
        return [self.num_features[index] for index in self.out_indices]

    @property
    def out_feature_channels(self) -> dict[str, int]:
        """Channels of every stage by name."""
        return dict(zip(self.stage_names, self.num_features, strict=True))

    def states(self, outputs: ModelOutput) -> Sequence[Tensor]:
        """One state for each stage, the stem first, from the base model's output."""
        return cast(Sequence[Tensor], outputs.hidden_states)

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) from the state of one stage."""
        return state

    def forward(self, pixel_values: Tensor, **inputs: Any) -> BackboneOutput:
        """(batch, channels, height, width) to the feature maps of the stages in `out_features`."""
        outputs = self.model(pixel_values, output_hidden_states=True, **inputs)
        states, names = self.states(outputs), self.stage_names
        maps = tuple(self.feature_map(states[i], names[i], pixel_values) for i in self.out_indices)
        kept = outputs.hidden_states if wants(HIDDEN_STATES) else None
        return BackboneOutput(feature_maps=maps, hidden_states=kept, attentions=outputs.get("attentions"))


class SingleStageBackbone(Backbone):
    """A transformer of one resolution: states (batch, tokens, hidden) of patches after `prefix` others."""

    prefix = 1

    @property
    def num_features(self) -> list[int]:
        return [self.config.hidden_size] * len(self.stage_names)

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        if not getattr(self.config, "reshape_hidden_states", True):
            return state
        height, width = self.grid(pixel_values)
        return state[:, self.prefix :].transpose(1, 2).unflatten(2, (height, width)).contiguous()

    def grid(self, pixel_values: Tensor) -> tuple[int, int]:
        """Rows and columns of patches of an image."""
        size = self.config.patch_size
        rows, columns = (size, size) if isinstance(size, int) else size
        return pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns


def build_backbone(config: PretrainedConfig, **options: Any) -> PreTrainedModel:
    """The backbone that `config.backbone_config` describes, or one of timm's that `config.backbone` names.

    The latter with `config.use_timm_backbone`. Nothing is fetched: weights come with the checkpoint of the
    whole.

    Args:
        options: fields of a named backbone's config, where `config.backbone_kwargs` is absent.

    Raises:
        ConfigError: the config says neither, or names a network that is not known here.
    """
    part = getattr(config, "backbone_config", None)
    name = getattr(config, "backbone", None)
    if part is None and name and getattr(config, "use_timm_backbone", False):
        given = dict(getattr(config, "backbone_kwargs", None) or {})
        channels = given.pop("in_chans", getattr(config, "num_channels", 3))
        settings = {"num_channels": channels, **(given or options)}
        part = config_class_for("timm_backbone")(backbone=name, use_pretrained_backbone=False, **settings)
    if part is None:
        raise ConfigError(
            f"{type(config).__name__} has no backbone_config"
            + (
                f", and names the backbone {name!r}, which is not fetched from inside of a model"
                if name
                else ""
            )
            + ". Give it the config of its backbone, as backbone_config=ResNetConfig(out_features=['stage4'])"
        )
    return build_part(part, "AutoBackbone")
