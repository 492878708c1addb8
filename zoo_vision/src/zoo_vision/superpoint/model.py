"""SuperPoint: keypoints and their descriptors from one convolutional network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.sampling import sample
from zoo_vision.superpoint.config import SuperPointConfig

CELL = 8
"""Pixels to a side that one cell of the network's map stands for."""


class SuperPointKeypointDescriptionOutput(ModelOutput):
    """Of each image its keypoints, padded with zeros; `mask` (batch, keypoints) is 1 where there is one.

    `keypoints` (batch, keypoints, 2) are (x, y) from 0 to 1, `scores` (batch, keypoints), `descriptors`
    (batch, keypoints, width) of length one.
    """

    loss: Tensor | None = None
    keypoints: Tensor
    scores: Tensor
    descriptors: Tensor
    mask: Tensor
    hidden_states: tuple[Tensor, ...] | None = None


class ConvBlock(nn.Module):
    """Two convolutions, and in all blocks but the last a pooling that halves the map."""

    def __init__(self, channels: int, width: int, *, pool: bool) -> None:
        super().__init__()
        self.conv_a = nn.Conv2d(channels, width, 3, padding=1)
        self.conv_b = nn.Conv2d(width, width, 3, padding=1)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv_b(F.relu(self.conv_a(x))))
        return F.max_pool2d(x, 2, 2) if self.pool else x


def suppress(scores: Tensor, radius: int) -> Tensor:
    """Scores (batch, height, width) that are highest within `radius`, zero elsewhere.

    What a maximum has suppressed no longer suppresses others, twice over.
    """

    def highest(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2 * radius + 1, stride=1, padding=radius)

    kept = scores == highest(scores)
    for _ in range(2):
        near = highest(kept.float()) > 0
        rest = scores.masked_fill(near, 0.0)
        kept = kept | ((rest == highest(rest)) & ~near)
    return torch.where(kept, scores, torch.zeros_like(scores))


class KeypointDecoder(nn.Module):
    """Scores of all pixels, and the keypoints among them."""

    def __init__(self, config: SuperPointConfig) -> None:
        super().__init__()
        width = config.decoder_hidden_size
        self.config = config
        self.conv_score_a = nn.Conv2d(config.encoder_hidden_sizes[-1], width, 3, padding=1)
        self.conv_score_b = nn.Conv2d(width, config.keypoint_decoder_dim, 1)

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(batch, width, h, w) to keypoints (n, 2), (x, y) in pixels, and scores (n,) of each image."""
        scores = self.conv_score_b(F.relu(self.conv_score_a(x))).softmax(1)[:, :-1]
        scores = F.pixel_shuffle(scores, CELL)[:, 0]
        return [self._extract(own) for own in suppress(scores, self.config.nms_radius)]

    def _extract(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        config = self.config
        rows, columns = (scores > config.keypoint_threshold).nonzero(as_tuple=True)
        border = config.border_removal_distance
        inside = (rows >= border) & (columns >= border)  # as released, the far borders stay
        rows, columns = rows[inside], columns[inside]
        found = scores[rows, columns]
        points = torch.stack((columns, rows), dim=1).to(scores.dtype)
        if 0 <= config.max_keypoints < len(found):
            found, best = found.topk(config.max_keypoints)
            points = points[best]
        return points, found


class DescriptorDecoder(nn.Module):
    """A descriptor of each keypoint, sampled from a coarse map."""

    def __init__(self, config: SuperPointConfig) -> None:
        super().__init__()
        width = config.decoder_hidden_size
        self.conv_descriptor_a = nn.Conv2d(config.encoder_hidden_sizes[-1], width, 3, padding=1)
        self.conv_descriptor_b = nn.Conv2d(width, config.descriptor_decoder_dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, h, w) to (batch, descriptor, h, w), of length one."""
        return F.normalize(self.conv_descriptor_b(F.relu(self.conv_descriptor_a(x))), dim=1)

    def sample(self, descriptors: Tensor, keypoints: Tensor) -> Tensor:
        """The map (descriptor, h, w) of an image at keypoints (n, 2): (n, descriptor)."""
        size = keypoints.new_tensor([descriptors.shape[-1], descriptors.shape[-2]])
        places = (keypoints - CELL / 2 + 0.5) / (size * CELL - CELL / 2 - 0.5) * 2 - 1
        sampled = sample(descriptors[None], places[None, None], align_corners=True)
        return F.normalize(sampled[0, :, 0], dim=0).t()


class SuperPointForKeypointDetection(PreTrainedModel):
    """Encoder, and the decoders of keypoints and descriptors."""

    config_class = SuperPointConfig
    base_model_prefix = "superpoint"
    main_input_name = "pixel_values"
    hub_names: HubNames = {"blocks": "encoder.conv_blocks"}

    def __init__(self, config: SuperPointConfig) -> None:
        super().__init__(config)
        widths = [1, *config.encoder_hidden_sizes]
        last = len(widths) - 2
        self.blocks = nn.ModuleList(
            ConvBlock(widths[i], widths[i + 1], pool=i < last) for i in range(last + 1)
        )
        self.keypoint_decoder = KeypointDecoder(config)
        self.descriptor_decoder = DescriptorDecoder(config)
        self.post_init()

    def forward(
        self, pixel_values: Tensor, *, labels: Tensor | None = None
    ) -> SuperPointKeypointDescriptionOutput:
        """(batch, channels, height, width), of which the first channel is taken, to keypoints."""
        if labels is not None:
            raise NotImplementedError("no loss is defined for SuperPoint: leave labels out")
        height, width = pixel_values.shape[-2:]
        x = pixel_values[:, :1]
        for block in self.blocks:
            x = block(x)
            record(HIDDEN_STATES, x)
        found = self.keypoint_decoder(x)
        maps = self.descriptor_decoder(x)
        longest = max(len(scores) for _, scores in found)
        keypoints = x.new_zeros(len(x), longest, 2)
        scores, mask = x.new_zeros(len(x), longest), torch.zeros(len(x), longest, dtype=torch.int)
        descriptors = x.new_zeros(len(x), longest, maps.shape[1])
        mask = mask.to(x.device)
        for i, (points, own) in enumerate(found):
            count = len(own)
            keypoints[i, :count] = points / points.new_tensor([width, height])
            scores[i, :count], mask[i, :count] = own, 1
            descriptors[i, :count] = self.descriptor_decoder.sample(maps[i], points)
        return SuperPointKeypointDescriptionOutput(
            keypoints=keypoints, scores=scores, descriptors=descriptors, mask=mask
        )
