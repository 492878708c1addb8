"""MetaCLIP 2: CLIP's towers; a text ends where its first end-of-text token stands, whatever its id."""

from __future__ import annotations

from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.clip import model as clip
from zoo_multimodal.metaclip_2.config import MetaClip2Config, MetaClip2TextConfig, MetaClip2VisionConfig


class MetaClip2PreTrainedModel(PreTrainedModel):
    """What all MetaCLIP 2 classes share."""

    config_class = MetaClip2Config
    base_model_prefix = "metaclip_2"


class MetaClip2TextModel(MetaClip2PreTrainedModel, clip.CLIPTextModel):
    """The text tower."""

    config_class = MetaClip2TextConfig

    def ends(self, input_ids: Tensor) -> Tensor:
        return (input_ids == self.config.eos_token_id).int().argmax(-1)


class MetaClip2VisionModel(MetaClip2PreTrainedModel, clip.CLIPVisionModel):
    """The image tower."""

    config_class = MetaClip2VisionConfig


class MetaClip2TextModelWithProjection(MetaClip2PreTrainedModel, clip.CLIPTextModelWithProjection):
    """The text tower and its projection."""

    config_class = MetaClip2TextConfig
    text_class = MetaClip2TextModel


class MetaClip2VisionModelWithProjection(MetaClip2PreTrainedModel, clip.CLIPVisionModelWithProjection):
    """The image tower and its projection."""

    config_class = MetaClip2VisionConfig
    vision_class = MetaClip2VisionModel


class MetaClip2Model(MetaClip2PreTrainedModel, clip.CLIPModel):
    """Both towers, their projections, and a learned temperature."""

    text_class = MetaClip2TextModel
    vision_class = MetaClip2VisionModel


class MetaClip2ForImageClassification(MetaClip2PreTrainedModel, clip.CLIPForImageClassification):
    """The image tower with a classifier on the mean of the patches' states."""

    vision_class = MetaClip2VisionModel
