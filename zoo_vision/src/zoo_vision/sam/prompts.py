"""Points, boxes and masks as embeddings (Segment Anything, appendix A)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo_core.nn.activation import activation
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.sam.config import SamConfig, SamPromptEncoderConfig

PADDING, NO_POINT = -10, -1
"""Labels of points that pad a batch, and of the point that stands for an absent box."""


class PlaneEmbedding(nn.Module):
    """Random Fourier features of places in the unit square (https://arxiv.org/abs/2006.10739)."""

    positional_embedding: Tensor

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        vision = config.vision_config
        table = vision.hidden_size // 2 * torch.randn(2, vision.num_pos_feats)
        self.register_buffer("positional_embedding", table)

    def forward(self, places: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Places (..., 2), as (x, y) from 0 to 1 or, with `size` (height, width), in pixels."""
        if size is not None:
            places = places / places.new_tensor([size[1], size[0]])
        table = self.positional_embedding
        angles = 2 * math.pi * ((2 * places.to(table.dtype) - 1) @ table)
        return torch.cat((angles.sin(), angles.cos()), dim=-1)

    def grid(self, side: int) -> Tensor:
        """(1, features, side, side): the cells of an image."""
        table = self.positional_embedding
        steps = (torch.arange(side, device=table.device, dtype=table.dtype) + 0.5) / side
        rows, columns = torch.meshgrid(steps, steps, indexing="ij")
        return self(torch.stack((columns, rows), dim=-1)).permute(2, 0, 1)[None]


class MaskEmbedding(nn.Module):
    """A mask brought to the size and channels of the image's embedding."""

    def __init__(self, config: SamPromptEncoderConfig) -> None:
        super().__init__()
        width, eps = config.mask_input_channels, config.layer_norm_eps
        self.conv1 = nn.Conv2d(1, width // 4, 2, 2)
        self.conv2 = nn.Conv2d(width // 4, width, 2, 2)
        self.conv3 = nn.Conv2d(width, config.hidden_size, 1)
        self.layer_norm1, self.layer_norm2 = ChannelNorm(width // 4, eps), ChannelNorm(width, eps)
        self.act = activation(config.hidden_act)

    def forward(self, masks: Tensor) -> Tensor:
        x = self.act(self.layer_norm1(self.conv1(masks)))
        return self.conv3(self.act(self.layer_norm2(self.conv2(x))))


class SamPromptEncoder(nn.Module):
    """Sparse embeddings of points and boxes, a dense one of masks."""

    #: labels of points that have an embedding
    kinds: tuple[int, ...] = (0, 1)

    def __init__(self, config: SamPromptEncoderConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.image_size, self.side = config.image_size, config.image_embedding_size
        self.mask_embed = MaskEmbedding(config)
        self.no_mask_embed = nn.Embedding(1, size)
        self.point_embed = nn.ModuleList(nn.Embedding(1, size) for _ in range(config.num_point_embeddings))
        self.not_a_point_embed = nn.Embedding(1, size)

    def forward(
        self,
        plane: PlaneEmbedding,
        points: Tensor | None,
        labels: Tensor | None,
        boxes: Tensor | None,
        masks: Tensor | None,
    ) -> tuple[Tensor | None, Tensor]:
        """Prompts to sparse (batch, prompts, points, hidden), None without any, and dense embeddings.

        Args:
            points: (batch, prompts, points, 2), (x, y) in pixels. labels: (batch, prompts, points).
            boxes: (batch, prompts, 4), corners in pixels. masks: (batch, 1, 4 x rows, 4 x columns).
        """
        sparse: list[Tensor] = []
        if points is not None:
            if labels is None:
                raise ValueError("input_points need input_labels: 1 for the object, 0 for the background")
            sparse.append(self._points(plane, points, labels, pad=boxes is None))
        if boxes is not None:
            sparse.append(self._boxes(plane, boxes))
        if masks is not None:
            dense = self.mask_embed(masks)
        else:
            dense = self.no_mask_embed.weight.view(1, -1, 1, 1).expand(-1, -1, self.side, self.side)
        return (torch.cat(sparse, dim=2) if sparse else None), dense

    def _points(self, plane: PlaneEmbedding, points: Tensor, labels: Tensor, *, pad: bool) -> Tensor:
        points = points + 0.5
        if pad:
            points = nn.functional.pad(points, (0, 0, 0, 1))
            labels = nn.functional.pad(labels, (0, 1), value=NO_POINT)
        embedded = plane(points, (self.image_size, self.image_size))
        kind = labels[..., None]
        embedded = torch.where(kind == NO_POINT, self.not_a_point_embed.weight, embedded)
        embedded = torch.where(kind == PADDING, torch.zeros_like(embedded), embedded)
        for number in self.kinds:
            embedded = torch.where(kind == number, embedded + self._kind(number), embedded)
        return embedded

    def _boxes(self, plane: PlaneEmbedding, boxes: Tensor) -> Tensor:
        corners = (boxes + 0.5).unflatten(-1, (2, 2))
        embedded = plane(corners, (self.image_size, self.image_size))
        return embedded + torch.stack((self._kind(2)[0], self._kind(3)[0]))

    def _kind(self, number: int) -> Tensor:
        weight: Tensor = self.point_embed[number].weight  # type: ignore[assignment]
        return weight
