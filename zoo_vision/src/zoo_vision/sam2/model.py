"""Segment Anything 2 for images: masks of what points, boxes or masks point at."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.recording import ATTENTIONS, wants
from zoo_vision.sam.model import Decoded, SamFeedForward, SamMaskDecoder, SamModel, check_prompts
from zoo_vision.sam.prompts import NO_POINT, PlaneEmbedding, SamPromptEncoder
from zoo_vision.sam2.config import Sam2Config, Sam2MaskDecoderConfig, Sam2PromptEncoderConfig


class Sam2ImageSegmentationOutput(ModelOutput):
    """`pred_masks` (batch, prompts, masks, height, width) and the guess of their quality, `iou_scores`.

    `object_score_logits` (batch, prompts, 1) are above 0 where an object is seen. `image_embeddings` are
    maps, the finest first, to be passed instead of the image.
    """

    iou_scores: Tensor | None = None
    pred_masks: Tensor | None = None
    object_score_logits: Tensor | None = None
    image_embeddings: tuple[Tensor, ...] | None = None
    vision_hidden_states: tuple[Tensor, ...] | None = None
    vision_attentions: tuple[Tensor, ...] | None = None
    mask_decoder_attentions: tuple[Tensor, ...] | None = None


class Sam2PlaneEmbedding(PlaneEmbedding):
    """Random Fourier features of places in the unit square."""

    def __init__(self, config: Sam2PromptEncoderConfig) -> None:
        nn.Module.__init__(self)
        table = config.scale * torch.randn(2, config.hidden_size // 2)
        self.register_buffer("positional_embedding", table)


class Sam2PromptEncoder(SamPromptEncoder):
    """As SAM's; a box is followed by a point that is none, and points may be the corners of one."""

    kinds = (0, 1, 2, 3)

    def __init__(self, config: Sam2PromptEncoderConfig) -> None:
        super().__init__(config)  # type: ignore[arg-type]
        kinds = nn.Embedding(config.num_point_embeddings, config.hidden_size)
        self.point_embed = kinds  # type: ignore[assignment]

    def _kind(self, number: int) -> Tensor:
        return self.point_embed.weight[number][None]  # type: ignore[index, return-value]

    def _boxes(self, plane: PlaneEmbedding, boxes: Tensor) -> Tensor:
        embedded = super()._boxes(plane, boxes)
        none = self.not_a_point_embed.weight.expand(*embedded.shape[:2], 1, -1)
        return torch.cat((embedded, none), dim=2)


class Sam2MaskDecoder(SamMaskDecoder):
    """As SAM's, with maps of more detail, and a token that tells whether there is an object."""

    hub_names: HubNames = {
        "transformer.layers.*.*.o_proj": "transformer.layers.*.*.o_proj",
        "transformer.final_attn_token_to_image.o_proj": "transformer.final_attn_token_to_image.o_proj",
    }
    first_mask = 2

    def __init__(self, config: Sam2MaskDecoderConfig) -> None:
        super().__init__(config)  # type: ignore[arg-type]
        size, self.config = config.hidden_size, config
        self.conv_s0, self.conv_s1 = nn.Conv2d(size, size // 8, 1), nn.Conv2d(size, size // 4, 1)
        # as released: whatever hidden_act says, and as deep as there are layers
        for layer in self.transformer.layers:
            layer.mlp = SamFeedForward(size, config.mlp_dim, size, config.num_hidden_layers)
        self.obj_score_token = nn.Embedding(1, size)
        self.pred_obj_score_head = SamFeedForward(size, size, 1, 3)

    def own_tokens(self) -> Tensor:
        return torch.cat((self.obj_score_token.weight, super().own_tokens()))

    def enlarge(self, x: Tensor, detail: tuple[Tensor, Tensor]) -> Tensor:
        fine, finer = (m.repeat_interleave(len(x) // len(m), 0) for m in (detail[1], detail[0]))
        x = self.act(self.upscale_layer_norm(self.upscale_conv1(x) + fine))
        return self.act(self.upscale_conv2(x) + finer)

    def score(self, tokens: Tensor) -> Tensor:
        return super().score(tokens).sigmoid()

    def choose(self, masks: Tensor, scores: Tensor, several: bool) -> tuple[Tensor, Tensor]:
        config = self.config
        if several or not config.dynamic_multimask_via_stability or self.training:
            return super().choose(masks, scores, several)
        single, rest = masks[:, :, :1], masks[:, :, 1:]
        delta = config.dynamic_multimask_stability_delta
        inner, outer = (single > delta).sum((3, 4)), (single > -delta).sum((3, 4))
        stable = torch.where(outer > 0, inner / outer, 1.0) >= config.dynamic_multimask_stability_thresh
        best = scores[:, :, 1:].argmax(2, keepdim=True)
        chosen = rest.take_along_dim(best[..., None, None], 2)
        kept = torch.where(stable[..., None, None], single, chosen)
        return kept, torch.where(stable, scores[:, :, :1], scores[:, :, 1:].take_along_dim(best, 2))


class Sam2Model(PreTrainedModel):
    """Image encoder, prompt encoder and mask decoder."""

    config_class = Sam2Config
    base_model_prefix = "sam2"
    main_input_name = "pixel_values"
    #: the memory of videos, which checkpoints hold as well
    ignored_names = (
        "prompt_encoder.shared_embedding.positional_embedding",
        "memory_*",
        "mask_downsample.*",
        "object_pointer_proj.*",
        "temporal_positional_encoding_projection_layer.*",
        "no_memory_positional_encoding",
        "no_object_pointer",
        "occlusion_spatial_embedding_parameter",
    )

    def __init__(self, config: Sam2Config) -> None:
        super().__init__(config)
        size = config.prompt_encoder_config.hidden_size
        self.shared_image_embedding = Sam2PlaneEmbedding(config.prompt_encoder_config)
        self.vision_encoder: Any = build_part(config.vision_config)
        self.prompt_encoder = Sam2PromptEncoder(config.prompt_encoder_config)
        self.mask_decoder = Sam2MaskDecoder(config.mask_decoder_config)
        self.no_memory_embedding = nn.Parameter(torch.zeros(1, 1, size))
        self.post_init()

    def get_image_wide_positional_embeddings(self) -> Tensor:
        """(1, hidden, rows, columns): the places of the image embedding's cells."""
        return self.shared_image_embedding.grid(self.prompt_encoder.side)

    def detailed(self, vision: ModelOutput) -> tuple[Tensor, ...]:
        """The image encoder's maps, those of more detail as the mask decoder takes them."""
        finer, fine, coarse = vision.fpn_hidden_states
        return self.mask_decoder.conv_s0(finer), self.mask_decoder.conv_s1(fine), coarse

    def see(self, vision: ModelOutput) -> tuple[Tensor, ...]:
        """What the mask decoder takes of the image encoder's maps."""
        *detail, coarse = self.detailed(vision)
        return *detail, coarse + self.no_memory_embedding.view(1, -1, 1, 1)

    @torch.no_grad()
    def get_image_embeddings(self, pixel_values: Tensor, **flags: Any) -> list[Tensor]:
        """Maps to be passed as `image_embeddings` with many prompts, the finest first."""
        return list(self.see(self.vision_encoder(pixel_values, **flags)))

    get_prompt_embeddings = SamModel.get_prompt_embeddings

    def forward(
        self,
        pixel_values: Tensor | None = None,
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
        image_embeddings: list[Tensor] | tuple[Tensor, ...] | None = None,
        multimask_output: bool = True,
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
        *,
        original_sizes: Any = None,
        reshaped_input_sizes: Any = None,
    ) -> Sam2ImageSegmentationOutput:
        """Masks of what the prompts point at; see `SamModel.forward`.

        Args:
            image_embeddings: what `get_image_embeddings` returns, instead of `pixel_values`.
            input_masks: (batch, 1, height, width), of any size.
        """
        check_prompts(pixel_values, image_embeddings, input_points, input_boxes)
        vision: ModelOutput | None = None
        if image_embeddings is None:
            vision = self.vision_encoder(pixel_values)
            image_embeddings = self.see(vision)
        found = self.decode(
            image_embeddings,
            input_points,
            input_labels,
            input_boxes,
            input_masks,
            several=multimask_output,
            similarity=attention_similarity,
            target=target_embedding,
        )
        return Sam2ImageSegmentationOutput(
            iou_scores=found.scores,
            pred_masks=found.masks,
            object_score_logits=self.mask_decoder.pred_obj_score_head(found.tokens[:, :, 0]),
            image_embeddings=tuple(image_embeddings),
            vision_hidden_states=None if vision is None else vision.get("hidden_states"),
            vision_attentions=None if vision is None else vision.get("attentions"),
            mask_decoder_attentions=found.added if wants(ATTENTIONS) else None,
        )

    def decode(
        self,
        maps: list[Tensor] | tuple[Tensor, ...],
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        *,
        several: bool,
        similarity: Tensor | None = None,
        target: Tensor | None = None,
    ) -> Decoded:
        """Masks of what the prompts point at in maps, the finest first; see `forward`."""
        *detail, image = maps
        if points is None and boxes is None:
            points = image.new_zeros(len(image), 1, 1, 2)
            labels = torch.full((len(image), 1, 1), NO_POINT, dtype=torch.int, device=image.device)
        elif points is not None and labels is None:
            labels = torch.ones_like(points[..., 0], dtype=torch.int)
        if masks is not None:
            side = 4 * self.prompt_encoder.side
            if masks.shape[-2:] != (side, side):
                masks = shrunk(masks.float(), side).to(masks.dtype)
        sparse, dense = self.prompt_encoder(self.shared_image_embedding, points, labels, boxes, masks)
        found: Decoded = self.mask_decoder(
            image,
            self.get_image_wide_positional_embeddings(),
            sparse,
            dense,
            several=several,
            similarity=similarity,
            target=target,
            detail=tuple(detail),
        )
        return found


def shrunk(masks: Tensor, side: int) -> Tensor:
    """Masks (batch, count, height, width) on a square of `side`, without aliasing."""
    return F.interpolate(masks, size=(side, side), mode="bilinear", align_corners=False, antialias=True)
