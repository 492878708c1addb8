"""timm's own checkpoints: its ResNets, and the features of its RepViTs, under that library's names."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ImageClassifierOutput, ModelOutput
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.timm_backbone.repvit import TimmRepVit
from zoo_vision.timm_backbone.resnet import TimmResNet, plain
from zoo_vision.timm_wrapper.config import TimmWrapperConfig


class TimmWrapperModelOutput(ModelOutput):
    """The last map (batch, width, h, w), and its mean (batch, width); of `features_only` all maps."""

    last_hidden_state: Tensor | list[Tensor]
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TimmWrapperPreTrainedModel(PreTrainedModel):
    """What both classes share."""

    config_class = TimmWrapperConfig
    main_input_name = "pixel_values"
    ignored_names = ("^fc",)


class TimmWrapperModel(TimmWrapperPreTrainedModel):
    """A network of `zoo_vision.timm_backbone`; a ResNet's five maps are the hidden states."""

    hub_names = {"model": ""}

    def __init__(self, config: TimmWrapperConfig) -> None:
        super().__init__(config)
        options = dict(config.model_args or {})
        self.channels = options.pop("in_chans", 3)
        self.features_only = bool(options.pop("features_only", False))
        self.model: nn.Module = self.network(config.architecture, options)
        if options:
            raise ConfigError(f"model_args hold {sorted(options)}, which mean nothing here")
        self.post_init()

    def network(self, name: str, options: dict[str, Any]) -> nn.Module:
        """The network of a name; takes those of `options` that it knows."""
        if not self.features_only:
            return TimmResNet(name, channels=self.channels, output_stride=options.pop("output_stride", 32))
        if not plain(name).startswith("repvit"):
            raise ConfigError(f"features_only is for timm's RepViTs here, not for {name!r}")
        self.stages = options.pop("out_indices", range(4))
        return TimmRepVit(
            name,
            channels=self.channels,
            widths=options.pop("embed_dim", None),
            depths=options.pop("depth", None),
        )

    def forward(self, pixel_values: Tensor, do_pooling: bool | None = None) -> TimmWrapperModelOutput:
        """(batch, channels, height, width) to the last map, and pooled unless `do_pooling` is False."""
        if pixel_values.shape[1] != self.channels:
            raise ValueError(f"pixel_values have {pixel_values.shape[1]} channels, not {self.channels}")
        maps = self.model(pixel_values)
        if self.features_only:
            return TimmWrapperModelOutput(last_hidden_state=[maps[i] for i in self.stages])
        for state in maps:
            record(HIDDEN_STATES, state)
        pools = self.config.do_pooling if do_pooling is None else do_pooling
        pooled = maps[-1].mean((2, 3)) if pools else None
        return TimmWrapperModelOutput(last_hidden_state=maps[-1], pooler_output=pooled)


class TimmWrapperForImageClassification(ForImageClassification, TimmWrapperPreTrainedModel):
    """The network with its classifier."""

    base_class = TimmWrapperModel
    base_name = ""
    head_names = {"classifier": "fc"}
    output_class = ImageClassifierOutput

    def features_width(self, config: PretrainedConfig) -> int:
        return self.model.model.widths[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state.mean((2, 3))
