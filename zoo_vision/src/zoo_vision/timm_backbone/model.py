"""A backbone by timm's name, behind the interface of all backbones."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor

from zoo_core.checkpoint.names import HubNames
from zoo_core.errors import ConfigError
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BackboneOutput
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.frozen import freeze_batch_norms
from zoo_vision.timm_backbone.config import TimmBackboneConfig
from zoo_vision.timm_backbone.resnet import TimmResNet, plain, published
from zoo_vision.timm_backbone.swin import TimmSwin


class TimmBackbone(PreTrainedModel):
    """A ResNet or a Swin of this folder that returns the maps of the stages in `out_indices`."""

    config_class = TimmBackboneConfig
    base_model_prefix = "_backbone"
    main_input_name = "pixel_values"
    ignored_names = ("^fc", "_backbone.fc")
    hub_names: HubNames = {"model": "_backbone"}

    def __init__(self, config: TimmBackboneConfig) -> None:
        super().__init__(config)
        if not config.backbone:
            raise ConfigError("TimmBackboneConfig.backbone must name a network, for example 'resnet50'")
        swin = plain(config.backbone).startswith("swin_")
        names = (TimmSwin if swin else TimmResNet).stage_names
        wrong = [index for index in config.out_indices if not -len(names) <= index < len(names)]
        if wrong:
            raise ConfigError(f"out_indices {wrong} lie outside of the {len(names)} stages {list(names)}")
        last = max(index % len(names) for index in config.out_indices)
        self.model: TimmSwin | TimmResNet
        if swin:
            whole = getattr(config, "always_partition", False)
            self.model = TimmSwin(
                config.backbone, channels=config.num_channels, stages=last + 1, always_partition=whole
            )
        else:
            self.model = TimmResNet(
                config.backbone,
                channels=config.num_channels,
                output_stride=config.output_stride,
                stages=last,
            )
        if config.freeze_batch_norm_2d:
            freeze_batch_norms(self.model)
        self.post_init()

    @classmethod
    def from_timm(cls, config: TimmBackboneConfig, **kwargs: Any) -> Self:
        """Load the weights that timm publishes for a ResNet; keywords as of `from_pretrained`.

        Raises:
            ConfigError: the name is a Swin's, whose published files have other names.
        """
        if plain(str(config.backbone)).startswith("swin_"):
            raise ConfigError(
                f"the weights that timm publishes for {config.backbone} are not read here; load a checkpoint "
                "of the whole model, or a Swin as in SwinModel.from_pretrained"
            )
        return cls.from_pretrained(published(str(config.backbone)), config=config, **kwargs)

    @property
    def stage_names(self) -> list[str]:
        """Names of all stages, the stem first."""
        return list(self.model.stage_names)

    @property
    def num_features(self) -> list[int]:
        """Channels of every stage."""
        return list(self.model.widths)

    @property
    def out_indices(self) -> list[int]:
        """Indices of the returned stages."""
        return list(self.config.out_indices)

    @property
    def out_features(self) -> list[str]:
        """Names of the returned stages."""
        return [self.model.stage_names[index] for index in self.out_indices]

    @property
    def channels(self) -> list[int]:
        """Channels of each returned feature map."""
        return [self.num_features[index] for index in self.out_indices]

    @property
    def out_feature_channels(self) -> dict[str, int]:
        """Channels of every stage by name."""
        return dict(zip(self.stage_names, self.num_features, strict=True))

    def freeze_batch_norm_2d(self) -> None:
        """Make every batch norm keep its statistics and weights, in training too."""
        freeze_batch_norms(self.model)

    def forward(self, pixel_values: Tensor) -> BackboneOutput:
        """(batch, channels, height, width) to the feature maps of the stages in `out_indices`."""
        maps = self.model(pixel_values)
        for state in maps:
            record(HIDDEN_STATES, state)
        return BackboneOutput(feature_maps=tuple(maps[index] for index in self.out_indices))
