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
from zoo_vision.timm_backbone.resnet import TimmResNet, published

STAGES = ("act1", "layer1", "layer2", "layer3", "layer4")


class TimmBackbone(PreTrainedModel):
    """A network of `zoo_vision.timm_backbone.resnet` that returns the maps of the stages in `out_indices`."""

    config_class = TimmBackboneConfig
    base_model_prefix = "_backbone"
    main_input_name = "pixel_values"
    ignored_names = ("^fc", "_backbone.fc")
    hub_names: HubNames = {"model": "_backbone"}

    def __init__(self, config: TimmBackboneConfig) -> None:
        super().__init__(config)
        if not config.backbone:
            raise ConfigError("TimmBackboneConfig.backbone must name a network, for example 'resnet50'")
        wrong = [index for index in config.out_indices if not -len(STAGES) <= index < len(STAGES)]
        if wrong:
            raise ConfigError(f"out_indices {wrong} lie outside of the {len(STAGES)} stages {list(STAGES)}")
        self.model = TimmResNet(
            config.backbone,
            channels=config.num_channels,
            output_stride=config.output_stride,
            stages=max(index % len(STAGES) for index in config.out_indices),
        )
        if config.freeze_batch_norm_2d:
            freeze_batch_norms(self.model)
        self.post_init()

    @classmethod
    def from_timm(cls, config: TimmBackboneConfig, **kwargs: Any) -> Self:
        """Load the weights that timm publishes for `config.backbone`; keywords as of `from_pretrained`."""
        return cls.from_pretrained(published(str(config.backbone)), config=config, **kwargs)

    @property
    def stage_names(self) -> list[str]:
        """Names of all stages, the stem first."""
        return list(STAGES)

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
        return [STAGES[index] for index in self.out_indices]

    @property
    def channels(self) -> list[int]:
        """Channels of each returned feature map."""
        return [self.num_features[index] for index in self.out_indices]

    @property
    def out_feature_channels(self) -> dict[str, int]:
        """Channels of every stage by name."""
        return dict(zip(STAGES, self.num_features, strict=True))

    def freeze_batch_norm_2d(self) -> None:
        """Make every batch norm keep its statistics and weights, in training too."""
        freeze_batch_norms(self.model)

    def forward(self, pixel_values: Tensor) -> BackboneOutput:
        """(batch, channels, height, width) to the feature maps of the stages in `out_indices`."""
        maps = self.model(pixel_values)
        for state in maps:
            record(HIDDEN_STATES, state)
        return BackboneOutput(feature_maps=tuple(maps[index] for index in self.out_indices))
