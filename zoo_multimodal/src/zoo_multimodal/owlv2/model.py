"""OWLv2: OWL-ViT that also says how likely each box holds any object."""

from __future__ import annotations

from torch import Tensor

from zoo_multimodal.owlv2.config import Owlv2Config, Owlv2TextConfig, Owlv2VisionConfig
from zoo_multimodal.owlvit import model as owlvit
from zoo_multimodal.owlvit.config import OwlViTConfig


class Owlv2PreTrainedModel(owlvit.OwlViTPreTrainedModel):
    """What all OWLv2 classes share."""

    config_class = Owlv2Config
    base_model_prefix = "owlv2"


class Owlv2TextModel(Owlv2PreTrainedModel, owlvit.OwlViTTextModel):
    """The text tower."""

    config_class = Owlv2TextConfig


class Owlv2VisionModel(Owlv2PreTrainedModel, owlvit.OwlViTVisionModel):
    """The image tower."""

    config_class = Owlv2VisionConfig


class Owlv2Model(Owlv2PreTrainedModel, owlvit.OwlViTModel):
    """Both towers, their projections, and a learned temperature."""

    config_class = Owlv2Config
    text_class = Owlv2TextModel
    vision_class = Owlv2VisionModel


class Owlv2ObjectDetectionOutput(owlvit.OwlViTObjectDetectionOutput, own_first=True):
    """As OwlViTObjectDetectionOutput, with `objectness_logits` (batch, patches)."""

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor
    objectness_logits: Tensor


class Owlv2ForObjectDetection(Owlv2PreTrainedModel, owlvit.OwlViTForObjectDetection):
    """OWLv2 with a box, a class embedding and an objectness for each patch."""

    config_class = Owlv2Config
    base_class = Owlv2Model
    output_class = Owlv2ObjectDetectionOutput

    def build_heads(self, config: OwlViTConfig) -> None:
        self.objectness_head = owlvit.PatchHead(config.vision_config.hidden_size, 1)

    def more(self, image: Tensor) -> dict[str, Tensor]:
        return {"objectness_logits": self.objectness_head(image.flatten(1, 2).detach())[..., 0]}
