"""UPerNet: a feature pyramid with pooling at its top, over any backbone."""

from __future__ import annotations

from torch import Tensor

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.loss import pixel_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import SemanticSegmenterOutput
from zoo_vision.nn.upernet import FCNHead, UPerHead, stretch
from zoo_vision.upernet.config import UperNetConfig

_NORMS = (
    *(f"decode_head.{part}" for part in ("bottleneck", "fpn_bottleneck", "lateral_convs.*", "fpn_convs.*")),
    "decode_head.psp_modules.*.*",
    "auxiliary_head.convs.*",
    "auxiliary_head.conv_cat",
)


class UperNetPreTrainedModel(PreTrainedModel):
    """What all UPerNet classes share."""

    config_class = UperNetConfig
    main_input_name = "pixel_values"


class UperNetForSemanticSegmentation(UperNetPreTrainedModel):
    """A backbone, UPerNet's head, and in training an auxiliary head on the third map."""

    hub_names: HubNames = {f"{path}.normalization": f"{path}.batch_norm" for path in _NORMS}

    def __init__(self, config: UperNetConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        channels = self.backbone.channels
        self.decode_head = UPerHead(channels, config.hidden_size, config.num_labels, config.pool_scales)
        self.auxiliary_head = None
        if config.use_auxiliary_head:
            self.auxiliary_head = FCNHead(
                config.auxiliary_in_channels or channels[2],
                config.auxiliary_channels,
                config.num_labels,
                num_convs=config.auxiliary_num_convs,
                concat_input=config.auxiliary_concat_input,
            )
        self.post_init()

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> SemanticSegmenterOutput:
        """Logits (batch, labels, height, width) of images (batch, channels, height, width).

        Args:
            labels: (batch, height, width), classes; `loss_ignore_index` does not count.
        """
        if labels is not None and self.config.num_labels == 1:
            raise ValueError("the loss needs more than one label, but num_labels is 1")
        image = self.backbone(pixel_values)
        logits = stretch(self.decode_head(image.feature_maps), pixel_values)
        loss = None
        if labels is not None:
            ignored = self.config.loss_ignore_index
            loss = pixel_loss(logits, labels, ignored=ignored)
            if self.auxiliary_head is not None:
                auxiliary = stretch(self.auxiliary_head(image.feature_maps), pixel_values)
                auxiliary_loss = pixel_loss(auxiliary, labels, ignored=ignored)
                loss = loss + self.config.auxiliary_loss_weight * auxiliary_loss
        return SemanticSegmenterOutput(
            loss=loss, logits=logits, hidden_states=image.hidden_states, attentions=image.attentions
        )
