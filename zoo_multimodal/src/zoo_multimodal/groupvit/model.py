"""GroupViT: CLIP's text tower, a tower that groups patches, and what each group is called."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.linear import Linear
from zoo_core.nn.recording import ATTENTIONS, wants
from zoo_multimodal.clip.model import CLIPTextModel, contrastive_loss
from zoo_multimodal.groupvit.config import GroupViTConfig, GroupViTTextConfig
from zoo_multimodal.groupvit.vision import GroupViTVisionModel as GroupViTVisionModel


class GroupViTTextModel(CLIPTextModel):
    """The text tower."""

    config_class = GroupViTTextConfig
    base_model_prefix = "groupvit"


class GroupViTModelOutput(ModelOutput):
    """As of CLIP, and `segmentation_logits` (images, texts, height, width) where asked for."""

    loss: Tensor | None = None
    logits_per_image: Tensor
    logits_per_text: Tensor
    segmentation_logits: Tensor | None = None
    text_embeds: Tensor
    image_embeds: Tensor
    text_model_output: BaseModelOutputWithPooling
    vision_model_output: BaseModelOutputWithPooling


class Projection(nn.Sequential):
    """Two linear layers with a batch norm between."""

    def __init__(self, size: int, hidden: int, outputs: int) -> None:
        super().__init__(Linear(size, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), Linear(hidden, outputs))


def grouping(assignments: tuple[Tensor, ...], height: int, width: int) -> Tensor:
    """(images, groups, height, width): how far each pixel belongs to each of the last groups.

    Args:
        assignments: of each stage (images, groups, segments).
    """
    shares = assignments[0]
    for later in assignments[1:]:
        shares = later @ shares
    patches = shares.shape[2]
    scale = (height * width // patches) ** 0.5
    if height > width:
        columns = round(width / scale)
        rows = patches // columns
    else:
        rows = round(height / scale)
        columns = patches // rows
    maps = shares.unflatten(2, (rows, columns))
    return F.interpolate(maps, size=(height, width), mode="bilinear", align_corners=False)


class GroupViTModel(PreTrainedModel):
    """Both towers, their projections, and a learned temperature."""

    config_class = GroupViTConfig
    base_model_prefix = "groupvit"
    hub_names = {"text_model": "", "vision_model": ""}

    def __init__(self, config: GroupViTConfig) -> None:
        super().__init__(config)
        text, vision = config.text_config, config.vision_config
        inner, width = config.projection_intermediate_dim, config.projection_dim
        self.text_model = GroupViTTextModel(text)
        self.vision_model = GroupViTVisionModel(vision)
        self.visual_projection = Projection(vision.hidden_size, inner, width)
        self.text_projection = Projection(text.hidden_size, inner, width)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))
        self.post_init()

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Projected texts (batch, projection), not normalised."""
        return self.text_projection(self.text_model(input_ids, **inputs).pooler_output)

    def get_image_features(self, pixel_values: Tensor | None = None, **inputs: bool) -> Tensor:
        """Projected images (batch, projection), not normalised."""
        return self.visual_projection(self.vision_model(pixel_values, **inputs).pooler_output)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
        output_segmentation: bool | None = None,
    ) -> GroupViTModelOutput:
        """Texts (texts, sequence) and images (images, channels, height, width) to their similarities.

        Args:
            return_loss: pair i is text i and image i.
            output_segmentation: also scores of each text at each pixel; by default as the config says.
        """
        segment = self.config.output_segmentation if output_segmentation is None else output_segmentation
        vision = self.vision_model(pixel_values, output_attentions=segment or wants(ATTENTIONS))
        text = self.text_model(input_ids, attention_mask, position_ids)
        images = F.normalize(self.visual_projection(vision.pooler_output), dim=-1)
        texts = F.normalize(self.text_projection(text.pooler_output), dim=-1)
        scale = self.logit_scale.exp()
        per_text = texts @ images.t() * scale
        maps = None
        if segment:
            assert pixel_values is not None
            height, width = pixel_values.shape[-2:]
            groups = self.visual_projection(vision.last_hidden_state.flatten(0, 1))
            called = F.normalize(groups, dim=-1).unflatten(0, (len(images), -1)) @ texts.t() * scale
            shares = grouping(vision.attentions, height, width)
            maps = torch.einsum("igt,ighw->ithw", called, shares) * scale
        return GroupViTModelOutput(
            loss=contrastive_loss(per_text) if return_loss else None,
            logits_per_image=per_text.t(),
            logits_per_text=per_text,
            segmentation_logits=maps,
            text_embeds=texts,
            image_embeds=images,
            text_model_output=text,
            vision_model_output=vision,
        )
