"""EdgeTAM for images: Segment Anything 2 on RepViT."""

from __future__ import annotations

from torch import Tensor

from zoo_core.checkpoint.names import HubNames
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.edgetam.config import EdgeTamConfig, EdgeTamVisionConfig
from zoo_vision.sam2.encoder import Sam2HieraDetModelOutput, Sam2VisionModel
from zoo_vision.sam2.model import Sam2Model


class EdgeTamVisionModel(Sam2VisionModel):
    """Backbone and pyramid; hidden states are, as released, the picture and the last stage's."""

    config_class = EdgeTamVisionConfig
    hub_names: HubNames = {"backbone": "backbone.timm_model"}

    def staged(self, pixel_values: Tensor) -> Sam2HieraDetModelOutput:
        stages = tuple(x.permute(0, 2, 3, 1) for x in self.backbone(pixel_values).last_hidden_state)
        record(HIDDEN_STATES, pixel_values)
        record(HIDDEN_STATES, stages[-1])
        return Sam2HieraDetModelOutput(last_hidden_state=stages[-1], intermediate_hidden_states=stages)


class EdgeTamModel(Sam2Model):
    """Image encoder, prompt encoder and mask decoder."""

    config_class = EdgeTamConfig
    base_model_prefix = "edgetam"
    ignored_names = (*Sam2Model.ignored_names, "spatial_perceiver.*")
