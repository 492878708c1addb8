"""UDOP: a T5 that reads the words of a page together with the patches in which they stand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.embeddings import embed
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.relative_bias import RelativeBias
from zoo_core.nn.stack import run_layers
from zoo_multimodal.udop.config import UdopConfig
from zoo_text.t5.model import (
    T5EncoderModel,
    T5ForConditionalGeneration,
    T5Model,
    T5PreTrainedModel,
    T5Stack,
)

PAGE_STEPS = 100
"""Distances on the page are in this many parts of it, which is also where the buckets end."""
SIDES = {"horizontal": (0, 2), "vertical": (1, 3)}


class UdopPreTrainedModel(T5PreTrainedModel):
    """What all UDOP classes share."""

    config_class = UdopConfig
    ignored_names = (
        *T5PreTrainedModel.ignored_names,
        "*embed_patches*",
        "*relative_bias.biases.0.*",
        "*cell_2d_embedding*",
    )


class CellEmbedding(nn.Module):
    """The sum of embeddings of both corners of a box."""

    def __init__(self, rows: int, size: int) -> None:
        super().__init__()
        self.x_position_embeddings = nn.Embedding(rows, size)
        self.y_position_embeddings = nn.Embedding(rows, size)

    def forward(self, bbox: Tensor) -> Tensor:
        """Boxes (batch, sequence, 4) in parts of the page, clipped to it, to (batch, sequence, size)."""
        last = self.x_position_embeddings.num_embeddings - 1
        x0, y0, x1, y1 = (bbox.float().clamp(0.0, 1.0) * last).long().unbind(-1)  # bfloat16 rounds up
        x, y = self.x_position_embeddings, self.y_position_embeddings
        return x(x0) + y(y0) + x(x1) + y(y1)


def patch_boxes(rows: int, columns: int, device: torch.device) -> Tensor:
    """(patches, 4) boxes of all patches in parts of the page."""
    y = torch.arange(rows + 1, device=device) / rows
    x = torch.arange(columns + 1, device=device) / columns
    starts = (x[:-1].expand(rows, -1), y[:-1, None].expand(-1, columns))
    ends = (x[1:].expand(rows, -1), y[1:, None].expand(-1, columns))
    return torch.stack((*starts, *ends), dim=-1).flatten(0, 1)


def join_patches(
    words: Tensor, bbox: Tensor, mask: Tensor, patches: Tensor, boxes: Tensor, grid: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Add to each word the patch in its middle, and put the patches without words behind the text.

    Args:
        words: (batch, sequence, size). bbox: (batch, sequence, 4) in parts of the page; words whose box is
            nothing or all of the page get no patch. mask: (batch, sequence).
        patches: (batch, patches, size), rows of a `grid`. boxes: (batch, patches, 4).

    Returns:
        The three for (batch, sequence + patches), zeros behind the patches that are left.
    """
    rows, columns = grid
    bbox = bbox.to(words.dtype)
    middle_x = ((bbox[..., 0] + bbox[..., 2]) / 2 * columns).floor().clamp(0, columns - 1)
    middle_y = ((bbox[..., 1] + bbox[..., 3]) / 2 * rows).floor().clamp(0, rows - 1)
    places = (middle_x + middle_y * columns).long()
    mean = bbox.mean(-1)
    seen = patches.gather(1, places[..., None].expand(-1, -1, patches.shape[-1]))
    words = words + seen.masked_fill(((mean == 0) | (mean == 1))[..., None], 0.0)
    free = torch.ones(patches.shape[:2], dtype=torch.bool, device=words.device).scatter(1, places, False)
    order = free.long().argsort(dim=1, descending=True, stable=True)[..., None]
    kept = free.gather(1, order[..., 0])
    patches, boxes = (
        x.gather(1, order.expand(-1, -1, x.shape[-1])) * kept[..., None] for x in (patches, boxes.to(bbox))
    )
    return torch.cat((words, patches), 1), torch.cat((bbox, boxes), 1), torch.cat((mask, kept.to(mask)), 1)


class UdopEncoderOutput(BaseModelOutput):
    """States of words and patches, and which of them are no padding (batch, sequence)."""

    attention_mask: Tensor | None = None


class UdopStack(T5Stack):
    """The encoder, or the decoder; biases for distances on the page count in the encoder alone."""

    config_class = UdopConfig

    def make_inputs(self, config: UdopConfig) -> None:  # type: ignore[override]
        super().make_inputs(config)
        heads, buckets = config.num_heads, config.relative_attention_num_buckets
        self.page_kinds = [one["type"] for one in config.relative_bias_args[1:]]
        self.page_biases = nn.ModuleList(
            RelativeBias(heads, buckets=buckets, max_distance=PAGE_STEPS, bidirectional=True)
            for _ in self.page_kinds
        )
        self.hub_names = {
            **T5Stack.hub_names,
            **{
                f"page_biases.{i}": f"relative_bias.biases.{i + 1}.relative_attention_bias"
                for i in range(len(self.page_kinds))
            },
        }
        if not self.is_decoder:
            self.patch_embed = PatchEmbedding(
                config.image_size, config.patch_size, config.num_channels, config.d_model
            )
            self.cell_2d_embedding = CellEmbedding(config.max_2d_position_embeddings, config.d_model)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        bbox: Tensor | None = None,
        pixel_values: Tensor | None = None,
        visual_bbox: Tensor | None = None,
        head_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """The decoder as T5's; the encoder as `UdopModel.forward` says."""
        if self.is_decoder:
            return super().forward(
                input_ids,
                attention_mask,
                encoder_hidden_states,
                encoder_attention_mask,
                inputs_embeds=inputs_embeds,
                head_mask=head_mask,
                **inputs,
            )
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        mask = attention_mask
        if mask is None:
            mask = torch.ones(hidden.shape[:2], dtype=torch.long, device=hidden.device)
        if bbox is None:
            bbox = hidden.new_zeros(*hidden.shape[:2], 4)
        if pixel_values is not None:
            grid = self.patch_embed.grid
            patches = self.patch_embed(pixel_values)
            if visual_bbox is None:
                visual_bbox = patch_boxes(*grid, hidden.device).expand(len(patches), -1, -1)
            hidden, bbox, mask = join_patches(hidden, bbox, mask, patches, visual_bbox, grid)
            if attention_mask is None:
                mask = torch.ones_like(mask)  # as recorded: without a mask nothing is hidden
        hidden = self.dropout(hidden + self.cell_2d_embedding(bbox))
        context = AttentionContext(hidden, mask)
        context.blind_queries_average = True
        hidden = run_layers(
            self.layers,
            hidden,
            context,
            norm=self.norm,
            head_mask=head_mask,
            bias=self.page_bias(bbox.to(hidden.dtype)),
        )
        return UdopEncoderOutput(last_hidden_state=self.finish(hidden), attention_mask=mask)

    def page_bias(self, bbox: Tensor) -> Tensor | None:
        """What is added to all scores for distances on the page: (batch, heads, sequence, sequence)."""
        total = None
        for kind, bias in zip(self.page_kinds, self.page_biases, strict=True):
            middle = bbox[..., list(SIDES[kind])].mean(-1)
            steps = ((middle[:, None] - middle[:, :, None]) * PAGE_STEPS).long()
            found = bias.of_distances(steps)
            total = found if total is None else total + found
        return total


#: where the patches' map stands in files
PATCH_NAMES = {"encoder.patch_embed.projection": "patch_embed.proj"}


class UdopModel(UdopPreTrainedModel, T5Model):
    """Encoder and decoder with one table of token embeddings."""

    hub_names = PATCH_NAMES
    stack_class = UdopStack

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        found = encoded.get("attention_mask")
        return attention_mask if found is None else found

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        bbox: Tensor | None = None,
        pixel_values: Tensor | None = None,
        visual_bbox: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As T5's, on a page.

        Args:
            bbox: (batch, sequence, 4) x0, y0, x1, y1 of each word in parts of the page (0 to 1); by default
                nothing. pixel_values: (batch, channels, height, width).
            visual_bbox: (batch, patches, 4) of the patches, by default their places.
        """
        given = {"bbox": bbox, "pixel_values": pixel_values, "visual_bbox": visual_bbox}
        if inputs.get("encoder_outputs") is not None:
            given = {}
        return super().forward(input_ids, attention_mask, **given, **inputs)


class UdopEncoderModel(UdopPreTrainedModel, T5EncoderModel):
    """The encoder alone, under the names of the whole model."""

    hub_names = PATCH_NAMES
    stack_class = UdopStack


class UdopForConditionalGeneration(UdopPreTrainedModel, T5ForConditionalGeneration):
    """UDOP with a language modeling head."""

    base_class = UdopModel
