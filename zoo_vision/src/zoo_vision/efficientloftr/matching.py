"""What EfficientLoFTR makes of its features: coarse matches between cells, fine ones within."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.base import Headed
from zoo_core.nn.activation import activation
from zoo_vision.efficientloftr.config import EfficientLoFTRConfig
from zoo_vision.efficientloftr.model import EfficientLoFTRModel
from zoo_vision.superglue.model import KeypointMatchingOutput


class FusionBlock(nn.Module):
    """Joins a finer map to what came from coarser ones, and doubles its resolution."""

    hub_names = {
        "residual": "out_conv1",
        "conv": "out_conv2",
        "norm": "batch_norm",
        "projection": "out_conv3",
    }

    def __init__(self, config: EfficientLoFTRConfig, width: int, channels: int) -> None:
        super().__init__()
        self.residual = nn.Conv2d(channels, width, 1, bias=False)
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=config.batch_norm_eps)
        self.act = activation(config.mlp_activation_function)
        self.projection = nn.Conv2d(width, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, finer: Tensor) -> Tensor:
        """(images, width, rows, columns) to (images, channels of the finer map, 2 rows, 2 columns)."""
        return doubled(self.projection(self.act(self.norm(self.conv(self.residual(finer) + x)))))


def doubled(x: Tensor) -> Tensor:
    """A map at twice its resolution, bilinear."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class FineFusion(nn.Module):
    """Coarse features brought to the resolution of the image by the maps of earlier stages."""

    hub_names = {"projection": "out_conv", "blocks": "out_conv_layers"}

    def __init__(self, config: EfficientLoFTRConfig) -> None:
        super().__init__()
        widths = config.out_features[:0:-1]
        self.projection = nn.Conv2d(widths[0], widths[0], 1, bias=False)
        self.blocks = nn.ModuleList(
            FusionBlock(config, width, channels) for width, channels in pairwise(widths)
        )

    def forward(self, coarse: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        """(images, hidden, rows, columns) and stages' maps, coarsest last, to the finest map."""
        x = doubled(self.projection(coarse))
        for block, finer in zip(self.blocks, reversed(maps), strict=True):
            x = block(x, finer)
        return x


def windows(x: Tensor, size: int, *, stride: int, margin: int = 0) -> Tensor:
    """(pairs, channels, rows, columns) to (pairs, cells, (size + 2 margin)², channels), by rows of cells."""
    patches = F.unfold(x, size + 2 * margin, stride=stride, padding=margin)
    return patches.unflatten(1, (x.shape[1], -1)).permute(0, 3, 2, 1)


class EfficientLoFTRForKeypointMatching(Headed):
    """Cells that choose each other by dual softmax, and a place within each, to a part of a pixel.

    The published implementation departs from the paper, and its numbers are kept: a pair's own answers
    come when it is the only one of its batch; the match within a cell starts from the cell's first pixel.
    """

    base_class = EfficientLoFTRModel
    config_class = EfficientLoFTRConfig
    base_model_prefix = "efficientloftr"
    main_input_name = "pixel_values"
    head_names = {"fusion": "refinement_layer"}

    config: EfficientLoFTRConfig

    def build_head(self, config: EfficientLoFTRConfig) -> None:  # type: ignore[override]
        self.fusion = FineFusion(config)

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> KeypointMatchingOutput:
        """Pairs of images (pairs, 2, channels, height, width) to matches of the cells of each.

        Returns:
            `matches` (pairs, 2, cells): for each cell of the second image its match in the first, then for
            each cell of the first its match in the second, -1 for none; `matching_scores` alike, and
            `keypoints` (pairs, 2, cells, 2), x and y of those matches as fractions of the image.
        """
        outputs = self.model(pixel_values, labels=labels)
        coarse, *maps = outputs.feature_maps
        size = pixel_values.shape[-2:]
        rows, columns = coarse.shape[-2:]
        stride = size[0] // rows
        if (rows * stride, columns * stride) != tuple(size):
            raise ValueError(f"the images are {tuple(size)}, but both sides must be multiples of {stride}")
        matches, scores = self.coarse_matches(coarse)
        cells = torch.stack((matches % columns, matches.div(columns, rounding_mode="floor")), dim=-1)
        scaled = coarse.flatten(0, 1) / coarse.shape[2] ** 0.5
        fine = self.fusion(scaled, tuple(maps)).unflatten(0, (-1, 2))
        scale = size[0] / fine.shape[-2]
        places = cells * stride + self.fine_offsets(fine, matches, fine.shape[-2] // rows) * scale
        keypoints = places / torch.tensor([size[1], size[0]], device=places.device)
        return KeypointMatchingOutput.carry(
            outputs, matches=matches, matching_scores=scores, keypoints=keypoints
        )

    def coarse_matches(self, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """Matches and scores (pairs, 2, cells) of features (pairs, 2, hidden, rows, columns)."""
        config = self.config
        first, second = coarse.flatten(3).unbind(1)
        scores = first.transpose(1, 2) @ second / coarse.shape[2] / config.coarse_matching_temperature
        if not config.coarse_matching_skip_softmax:
            scores = scores.softmax(1) * scores.softmax(2)
        edge = config.coarse_matching_border_removal
        inside = torch.zeros(coarse.shape[-2:], dtype=torch.bool, device=coarse.device)
        inside[edge : inside.shape[0] - edge, edge : inside.shape[1] - edge] = True
        inside = inside.flatten()
        kept = (scores > config.coarse_matching_threshold) & inside[:, None] & inside
        kept &= (scores == scores.amax(1, keepdim=True)) & (scores == scores.amax(2, keepdim=True))
        chances = scores * kept
        best, back = chances.max(1), chances.max(2)
        values = torch.stack((best.values, back.values), dim=1)
        # Stacked by direction but read by pair: the published numbers of a batch depend on it.
        matches = torch.stack((best.indices, back.indices)).view(values.shape)
        return matches.where(values > 0, -1), values

    def fine_offsets(self, fine: Tensor, matches: Tensor, stride: int) -> Tensor:
        """Places (pairs or 1, 2, cells, 2) from the matched cells' corners, in pixels of the fine maps.

        Args:
            fine: (pairs, 2, channels, rows, columns). matches: (pairs, 2, cells). stride: width of a cell.
        """
        config = self.config
        side, width = config.fine_kernel_size, fine.shape[2] - config.fine_matching_slice_dim
        # The best pixels of the first pair count for all.
        first = windows(fine[:1, 0], side, stride=stride)[0, matches[0, 0]]
        second = windows(fine[:1, 1], side, stride=stride, margin=1)[0, matches[0, 1]]
        inner = second[..., :width].unflatten(1, (side + 2, side + 2))[:, 1:-1, 1:-1].flatten(1, 2)
        alike = first[..., :width] @ inner.transpose(1, 2) / width
        chances = alike.softmax(0) * alike.softmax(1)
        pixel = chances.flatten(1).argmax(1)
        chosen, partner = pixel // side**2, pixel % side**2
        cell = torch.arange(len(pixel), device=pixel.device)
        near = torch.arange(-1, 2, device=pixel.device)
        down, across = partner[:, None] // side + near, partner[:, None] % side + near
        around = second[..., width:].unflatten(1, (side + 2, side + 2))
        around = around[cell[:, None, None], down[:, :, None], across[:, None]]
        heat = torch.einsum("lijc,lc->lij", around, first[cell, chosen, width:])
        heat = heat / config.fine_matching_slice_dim**0.5 / config.fine_matching_regress_temperature
        heat = heat.flatten(1).softmax(1).view_as(heat)
        shift = torch.stack(((heat.sum(1) * near).sum(1), (heat.sum(2) * near).sum(1)), dim=1)
        return torch.stack((torch.zeros_like(shift), shift)) - (side - 1) / 2
