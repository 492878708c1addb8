"""OWL-ViT: CLIP whose every patch answers with a box and with how well queries fit it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_multimodal.clip import model as clip
from zoo_multimodal.owlvit.config import OwlViTConfig, OwlViTTextConfig, OwlViTVisionConfig
from zoo_vision.losses.boxes import corners, paired_generalized_iou, paired_iou


class OwlViTPreTrainedModel(PreTrainedModel):
    """What all OWL-ViT classes share."""

    config_class = OwlViTConfig
    base_model_prefix = "owlvit"
    ignored_names = ("*position_ids",)


class OwlViTTextModel(OwlViTPreTrainedModel, clip.CLIPTextModel):
    """The text tower; a text ends where the token of the highest id stands."""

    config_class = OwlViTTextConfig

    def ends(self, input_ids: Tensor) -> Tensor:
        return input_ids.argmax(-1)


class OwlViTVisionModel(OwlViTPreTrainedModel, clip.CLIPVisionModel):
    """The image tower."""

    config_class = OwlViTVisionConfig
    hub_names: HubNames = {**clip.CLIPVisionModel.hub_names, "pre_norm": "vision_model.pre_layernorm"}


class OwlViTModel(OwlViTPreTrainedModel, clip.CLIPModel):
    """Both towers, their projections, and a learned temperature."""

    config_class = OwlViTConfig
    text_class = OwlViTTextModel
    vision_class = OwlViTVisionModel


class OwlViTObjectDetectionOutput(ModelOutput):
    """`logits` (batch, patches, queries) and `pred_boxes` (batch, patches, 4), and what they are made from.

    Boxes are centre and size as fractions of the image. `text_embeds` (batch, queries, projection),
    `image_embeds` (batch, rows, columns, hidden), `class_embeds` (batch, patches, projection).
    """

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor
    pred_boxes: Tensor
    text_embeds: Tensor
    image_embeds: Tensor
    class_embeds: Tensor
    text_model_output: BaseModelOutputWithPooling
    vision_model_output: BaseModelOutputWithPooling


class OwlViTImageGuidedObjectDetectionOutput(ModelOutput):
    """As OwlViTObjectDetectionOutput, of images that were searched for what other images show."""

    logits: Tensor
    image_embeds: Tensor
    query_image_embeds: Tensor
    target_pred_boxes: Tensor
    query_pred_boxes: Tensor
    class_embeds: Tensor
    text_model_output: BaseModelOutputWithPooling | None = None
    vision_model_output: BaseModelOutputWithPooling


class PatchHead(nn.Module):
    """Three dense layers with GELU between them."""

    def __init__(self, size: int, out: int) -> None:
        super().__init__()
        self.dense0, self.dense1 = nn.Linear(size, size), nn.Linear(size, size)
        self.dense2 = nn.Linear(size, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense2(F.gelu(self.dense1(F.gelu(self.dense0(x)))))


class ClassHead(nn.Module):
    """How well each query fits each patch, with a shift and a scale of the patch's own."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.dense0 = nn.Linear(size, width)
        self.logit_shift, self.logit_scale = nn.Linear(size, 1), nn.Linear(size, 1)

    def forward(
        self, image: Tensor, queries: Tensor | None, mask: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor]:
        """Logits (batch, patches, queries), the lowest where `mask` (batch, queries) is 0, and embeddings.

        Without `queries` (batch, queries, width) embeddings (batch, patches, width) alone, as they are.
        """
        embeds = self.dense0(image)
        if queries is None:
            return None, embeds
        embeds = embeds / (embeds.norm(dim=-1, keepdim=True) + 1e-6)
        queries = queries / (queries.norm(dim=-1, keepdim=True) + 1e-6)
        logits = embeds @ queries.transpose(-1, -2)
        logits = (logits + self.logit_shift(image)) * (F.elu(self.logit_scale(image)) + 1)
        if mask is not None:
            logits = logits.masked_fill(~mask.bool()[:, None], torch.finfo(logits.dtype).min)
        return logits, embeds


def box_bias(rows: int, columns: int, like: Tensor) -> Tensor:
    """(rows x columns, 4): logits of a box at the far corner of each patch, of a patch's size."""
    y, x = ((torch.arange(1, n + 1, device=like.device) / n).float() for n in (rows, columns))
    centre = torch.stack((x.expand(rows, -1), y[:, None].expand(-1, columns)), dim=-1).flatten(0, 1)
    size = torch.tensor((1 / columns, 1 / rows), device=like.device).expand_as(centre)
    boxes = torch.cat((centre, size), dim=-1)
    return ((boxes + 1e-4).log() - (-boxes + 1 + 1e-4).log()).to(like.dtype)


class OwlViTForObjectDetection(OwlViTPreTrainedModel):
    """OWL-ViT with a box and a class embedding for each patch."""

    base_class: ClassVar[type[OwlViTModel]] = OwlViTModel
    output_class: ClassVar[type[OwlViTObjectDetectionOutput]] = OwlViTObjectDetectionOutput

    @property
    def hub_names(self) -> HubNames:  # type: ignore[override]
        return {"model": self.base_model_prefix}

    def __init__(self, config: OwlViTConfig) -> None:
        super().__init__(config)
        vision = config.vision_config
        self.model = self.base_class(config)
        self.class_head = ClassHead(vision.hidden_size, config.text_config.hidden_size)
        self.box_head = PatchHead(vision.hidden_size, 4)
        self.layer_norm = nn.LayerNorm(vision.hidden_size, eps=vision.layer_norm_eps)
        self.build_heads(config)
        self.post_init()

    def build_heads(self, config: OwlViTConfig) -> None:
        """Further heads of a relative."""

    def patches(self, vision: ModelOutput, pixel_values: Tensor) -> Tensor:
        """(batch, rows, columns, hidden): normalised patches, each times the class token."""
        hidden = self.model.vision_model.post_norm(vision.last_hidden_state)
        size = self.config.vision_config.patch_size
        grid = (pixel_values.shape[-2] // size, pixel_values.shape[-1] // size)
        return self.layer_norm(hidden[:, 1:] * hidden[:, :1]).unflatten(1, grid)

    def box_predictor(self, image: Tensor) -> Tensor:
        """Boxes (batch, patches, 4) of patches (batch, rows, columns, hidden)."""
        rows, columns = image.shape[1:3]
        return (self.box_head(image.flatten(1, 2)) + box_bias(rows, columns, image)).sigmoid()

    def more(self, image: Tensor) -> dict[str, Tensor]:
        """Further fields of the output, from patches (batch, rows, columns, hidden)."""
        return {}

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor,
        attention_mask: Tensor | None = None,
        *,
        interpolate_pos_encoding: bool = False,
    ) -> OwlViTObjectDetectionOutput:
        """Boxes of images (batch, channels, height, width), and how well queries fit them.

        Args:
            input_ids: (batch x queries, sequence), as many queries for each image; one that begins with 0 is
                padding.
        """
        if len(input_ids) % len(pixel_values):
            raise ValueError(
                f"{len(input_ids)} texts cannot be shared out among {len(pixel_values)} images evenly; pad "
                "the queries of each image to one number, as the processor does"
            )
        outputs = self.model(
            input_ids,
            pixel_values,
            attention_mask,
            interpolate_pos_encoding=interpolate_pos_encoding,
        )
        image = self.patches(outputs.vision_model_output, pixel_values)
        queries = outputs.text_embeds.unflatten(0, (len(pixel_values), -1))
        mask = input_ids.unflatten(0, (len(pixel_values), -1))[..., 0] > 0
        logits, embeds = self.class_head(image.flatten(1, 2), queries, mask)
        return self.output_class(
            logits=logits,
            pred_boxes=self.box_predictor(image),
            text_embeds=queries,
            image_embeds=image,
            class_embeds=embeds,
            text_model_output=outputs.text_model_output,
            vision_model_output=outputs.vision_model_output,
            **self.more(image),
        )

    def embed_image_query(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of patches (batch, rows, columns, hidden) the one that stands for the whole image.

        It is, of the patches whose boxes cover nearly the most, the one least like the mean of all. Returns
        its embedding (batch, 1, projection), its index (batch, 1), and all boxes (batch, patches, 4).
        """
        _, embeds = self.class_head(image.flatten(1, 2), None)
        boxes = self.box_predictor(image)
        whole = torch.tensor((0.0, 0.0, 1.0, 1.0), device=boxes.device)
        chosen = []
        for own, found in zip(embeds, corners(boxes.float()), strict=True):
            fit, _ = paired_iou(whole.expand_as(found), found)
            if bool((fit == 0).all()):
                fit = paired_generalized_iou(whole.expand_as(found), found)
            likely = (fit >= fit.max() * 0.8).nonzero()[:, 0]
            chosen.append(likely[(own[likely] @ own.mean(0)).argmin()])
        best = torch.stack(chosen)[:, None]
        return embeds.take_along_dim(best[..., None], 1), best, boxes

    def image_guided_detection(
        self, pixel_values: Tensor, query_pixel_values: Tensor, *, interpolate_pos_encoding: bool = False
    ) -> OwlViTImageGuidedObjectDetectionOutput:
        """Boxes of images, and how well each one's query image (batch, channels, height, width) fits them."""
        options: dict[str, Any] = {"interpolate_pos_encoding": interpolate_pos_encoding}
        asked = self.model.vision_model(query_pixel_values, **options)
        query_image = self.patches(asked, query_pixel_values)
        vision = self.model.vision_model(pixel_values, **options)
        image = self.patches(vision, pixel_values)
        query, _, query_boxes = self.embed_image_query(query_image)
        logits, embeds = self.class_head(image.flatten(1, 2), query)
        return OwlViTImageGuidedObjectDetectionOutput(
            logits=logits,
            image_embeds=image,
            query_image_embeds=query_image,
            target_pred_boxes=self.box_predictor(image),
            query_pred_boxes=query_boxes,
            class_embeds=embeds,
            vision_model_output=vision,
        )
