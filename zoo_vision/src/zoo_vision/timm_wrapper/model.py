"""timm's own checkpoints: networks that are known here, under that library's names."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ImageClassifierOutput, ModelOutput
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.timm_backbone.networks import network_of
from zoo_vision.timm_backbone.resnet import TimmResNet
from zoo_vision.timm_wrapper.config import TimmWrapperConfig


class TimmWrapperModelOutput(ModelOutput):
    """The last map (batch, width, h, w), and its mean (batch, width); of `features_only` several maps."""

    last_hidden_state: Tensor | list[Tensor]
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TimmWrapperPreTrainedModel(PreTrainedModel):
    """What both classes share."""

    config_class = TimmWrapperConfig
    main_input_name = "pixel_values"
    ignored_names = ("^fc", "^head")


class TimmWrapperModel(TimmWrapperPreTrainedModel):
    """A network of `zoo_vision.timm_backbone`; the states of its stages are the hidden states."""

    hub_names = {"model": ""}

    def __init__(self, config: TimmWrapperConfig) -> None:
        super().__init__(config)
        options: dict[str, Any] = dict(config.model_args or {})
        self.channels = options.get("in_chans", 3)
        self.model: Any = network_of(config.architecture, options)
        self.post_init()

    def forward(self, pixel_values: Tensor, do_pooling: bool | None = None) -> TimmWrapperModelOutput:
        """(batch, channels, height, width) to the last map, and pooled unless `do_pooling` is False."""
        if pixel_values.shape[1] != self.channels:
            raise ValueError(f"pixel_values have {pixel_values.shape[1]} channels, not {self.channels}")
        state, maps = self.model(pixel_values.to(self.dtype))
        for one in maps:
            record(HIDDEN_STATES, one)
        pools = self.config.do_pooling if do_pooling is None else do_pooling
        pooled = self.model.pooled(state) if pools else None
        return TimmWrapperModelOutput(last_hidden_state=state, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes images, not tokens")


class TimmWrapperForImageClassification(ForImageClassification, TimmWrapperPreTrainedModel):
    """The network with its classifier."""

    base_class = TimmWrapperModel
    base_name = ""
    head_names = {"classifier": "fc"}
    output_class = ImageClassifierOutput

    def features_width(self, config: PretrainedConfig) -> int:
        if not isinstance(self.model.model, TimmResNet):
            raise ConfigError(f"{type(self).__name__} is known here for ResNets, not {config.architecture}")
        return self.model.model.widths[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state.mean((2, 3))
