"""timm's own checkpoints: its ResNets, under that library's names."""

from __future__ import annotations

from torch import Tensor

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ImageClassifierOutput, ModelOutput
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.timm_backbone.resnet import TimmResNet
from zoo_vision.timm_wrapper.config import TimmWrapperConfig


class TimmWrapperModelOutput(ModelOutput):
    """The last map (batch, width, h, w), and its mean (batch, width)."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TimmWrapperPreTrainedModel(PreTrainedModel):
    """What both classes share."""

    config_class = TimmWrapperConfig
    main_input_name = "pixel_values"
    ignored_names = ("^fc",)


class TimmWrapperModel(TimmWrapperPreTrainedModel):
    """A network of `zoo_vision.timm_backbone.resnet`; its five maps are the hidden states."""

    hub_names = {"model": ""}

    def __init__(self, config: TimmWrapperConfig) -> None:
        super().__init__(config)
        options = dict(config.model_args or {})
        self.channels = options.pop("in_chans", 3)
        self.model = TimmResNet(
            config.architecture, channels=self.channels, output_stride=options.pop("output_stride", 32)
        )
        if options:
            raise ConfigError(f"model_args may hold in_chans and output_stride here, not {sorted(options)}")
        self.post_init()

    def forward(self, pixel_values: Tensor, do_pooling: bool | None = None) -> TimmWrapperModelOutput:
        """(batch, channels, height, width) to the last map, and pooled unless `do_pooling` is False."""
        if pixel_values.shape[1] != self.channels:
            raise ValueError(f"pixel_values have {pixel_values.shape[1]} channels, not {self.channels}")
        maps = self.model(pixel_values)
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
