"""DETR with a mask for each query (https://arxiv.org/abs/2005.12872, section 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.errors import ConfigError
from zoo_vision.detr.config import DetrConfig
from zoo_vision.detr.model import DetrForObjectDetection, DetrObjectDetectionOutput, DetrPreTrainedModel


class DetrSegmentationOutput(DetrObjectDetectionOutput):
    """As DetrObjectDetectionOutput, with `pred_masks` (batch, queries, height / 4, width / 4), logits."""

    pred_masks: Tensor | None = None


class AttentionMap(nn.Module):
    """Where each query looks in the image: attention weights without values, normalised over all heads."""

    hub_names: HubNames = {"q_proj": "q_linear", "k_proj": "k_linear"}

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.num_heads, self.scale = heads, (size / heads) ** -0.5
        self.q_proj, self.k_proj = nn.Linear(size, size), nn.Linear(size, size)

    def forward(self, queries: Tensor, image: Tensor, mask: Tensor) -> Tensor:
        """(batch, queries, heads, rows, columns), from `image` (batch, rows x columns, size).

        Args:
            mask: (batch, rows, columns), False in padding.
        """
        query = self.q_proj(queries).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
        key = self.k_proj(image).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
        scores = (query * self.scale @ key.transpose(2, 3)).transpose(1, 2)
        scores = scores.masked_fill(~mask.flatten(1)[:, None, None], -torch.inf)
        weights = scores.flatten(2).softmax(-1)
        return weights.unflatten(2, (self.num_heads, *mask.shape[1:]))


class MaskHead(nn.Module):
    """From attention maps to masks, through feature maps of growing size.

    Args:
        size: channels of the projected feature map. heads: attention maps. maps: channels of the feature
            maps that are added, the smallest map first.
    """

    def __init__(self, size: int, heads: int, maps: Sequence[int]) -> None:
        super().__init__()
        if (size + heads) % 8:
            raise ConfigError(f"masks need d_model + heads divisible by 8, got {size} + {heads}")
        widths = [size + heads, size + heads, size // 2, size // 4, size // 8, size // 16]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.GroupNorm(min(8, width), width) for width in widths[1:])
        self.adapters = nn.ModuleList(
            nn.Conv2d(channels, width, 1) for channels, width in zip(maps, widths[2:5], strict=True)
        )
        self.out = nn.Conv2d(widths[-1], 1, 3, padding=1)
        places = range(1, 6)
        self.hub_names: HubNames = {
            **{f"convs.{i - 1}": f"lay{i}" for i in places},
            **{f"norms.{i - 1}": f"gn{i}" for i in places},
            **{f"adapters.{i}": f"adapter{i + 1}" for i in range(3)},
            "out": "out_lay",
        }

    def forward(self, image: Tensor, attention: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """(batch, queries, height, width) in the size of the last of `maps`."""
        queries = attention.shape[1]
        x = torch.cat((image.repeat_interleave(queries, 0), attention.flatten(0, 1)), dim=1)
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            if i > 1:
                own = self.adapters[i - 2](maps[i - 2]).repeat_interleave(queries, 0)
                x = own + F.interpolate(x, size=own.shape[-2:], mode="nearest")
            x = F.relu(norm(conv(x)))
        return self.out(x)[:, 0].unflatten(0, (-1, queries))


class DetrForSegmentation(DetrPreTrainedModel):
    """DETR with a class, a box and a mask for each query."""

    detector_class: type[DetrForObjectDetection] = DetrForObjectDetection
    hub_names: HubNames = {"model": "detr"}

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        self.model = self.detector_class(config)
        size, heads = config.d_model, config.encoder_attention_heads
        channels = self.model.model.backbone.channels
        if len(channels) < 4:
            raise ConfigError(
                f"masks need four feature maps, but the backbone returns {len(channels)}; give it "
                "out_features=['stage1', 'stage2', 'stage3', 'stage4']"
            )
        self.mask_head = MaskHead(size, heads, channels[-2:-5:-1])
        self.bbox_attention = AttentionMap(size, heads)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        *,
        labels: list[dict[str, Tensor]] | None = None,
        **inputs: Any,
    ) -> DetrSegmentationOutput:
        """See `DetrModel`; `labels` has each image's `class_labels`, `boxes` and `masks` (objects, h, w)."""
        detector = self.model
        image = detector.model.see(pixel_values, pixel_mask)
        outputs = detector.model(pixel_values, pixel_mask, image=image, **inputs)
        predictions = detector.predict(outputs)
        seen = outputs.encoder_last_hidden_state
        attention = self.bbox_attention(outputs.last_hidden_state, seen, image.mask)
        predictions[-1]["pred_masks"] = self.mask_head(image.projected, attention, image.maps[-2:-5:-1])
        return DetrSegmentationOutput(**detector.answer(outputs, predictions, labels))
