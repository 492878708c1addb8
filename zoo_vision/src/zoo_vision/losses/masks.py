"""The set loss of segmenters with queries: each is matched to a class and a mask (https://arxiv.org/abs/2107.06278)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_vision.losses.focal import sigmoid_focal_losses
from zoo_vision.losses.matching import Pairs, assigned, matched_queries
from zoo_vision.nn.sampling import sample

Prediction = dict[str, Tensor]
"""`class_queries_logits` (batch, queries, labels + 1) and `masks_queries_logits` (batch, queries, h, w)."""


def pairwise_losses(positive: Tensor, negative: Tensor, masks: Tensor) -> Tensor:
    """(queries, masks): means over points of `positive` (queries, points) inside and `negative` outside."""
    return (positive @ masks.T + negative @ (1 - masks).T) / masks.shape[1]


def pairwise_focal(logits: Tensor, masks: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """(queries, masks): the focal loss of logits (queries, points) for masks (masks, points) of 0 and 1."""
    chance = logits.sigmoid()
    positive = alpha * (1 - chance) ** gamma * F.softplus(-logits)
    return pairwise_losses(positive, (1 - alpha) * chance**gamma * F.softplus(logits), masks)


def pairwise_cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """(queries, masks): the binary cross-entropy of logits (queries, points)."""
    return pairwise_losses(F.softplus(-logits), F.softplus(logits), masks)


def pairwise_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """(queries, masks): one less the overlap that Dice and Sørensen measure."""
    chance = logits.sigmoid()
    return 1 - (2 * chance @ masks.T + 1) / (chance.sum(1)[:, None] + masks.sum(1) + 1)


def padded_alike(masks: Sequence[Tensor]) -> list[Tensor]:
    """Masks (objects, height, width) in the largest's size, zeros on the right and below."""
    height, width = (max(mask.shape[axis] for mask in masks) for axis in (1, 2))
    return [F.pad(mask, (0, width - mask.shape[2], 0, height - mask.shape[1])) for mask in masks]


def dice_losses(logits: Tensor, masks: Tensor) -> Tensor:
    """(n,) of logits and masks (n, points)."""
    chance = logits.sigmoid()
    return 1 - (2 * (chance * masks).sum(1) + 1) / (chance.sum(1) + masks.sum(1) + 1)


class MaskSetLoss(nn.Module):
    """Classes by cross-entropy, masks by focal loss and Dice.

    Args:
        labels: classes; one more means that there is nothing, and counts `no_object_weight`.
        weights: of `loss_cross_entropy`, `loss_mask` and `loss_dice`; those of masks also weigh the matching.
        class_cost: weighs the class in the matching.
    """

    empty_weight: Tensor

    def __init__(
        self, labels: int, weights: Mapping[str, float], *, no_object_weight: float, class_cost: float = 1.0
    ) -> None:
        super().__init__()
        self.weights, self.class_cost = dict(weights), class_cost
        empty = torch.ones(labels + 1)
        empty[-1] = no_object_weight
        self.register_buffer("empty_weight", empty)

    def forward(
        self,
        found: Prediction,
        mask_labels: Sequence[Tensor],
        class_labels: Sequence[Tensor],
        auxiliary: Sequence[Prediction] = (),
    ) -> dict[str, Tensor]:
        """Weighted losses by name; those of earlier layers, `auxiliary`, end with the layer's number.

        Args:
            mask_labels: for each image (objects, height, width) of 0 and 1. class_labels: (objects,).

        Raises:
            ValueError: their numbers do not agree.
        """
        masks = [m.to(found["masks_queries_logits"]) for m in mask_labels]
        classes = [c.to(found["masks_queries_logits"].device) for c in class_labels]
        self._check(masks, classes, len(found["masks_queries_logits"]))
        masks = padded_alike(masks)
        losses = self.losses(found, masks, classes)
        for i, earlier in enumerate(auxiliary):
            own = self.losses(earlier, masks, classes)
            losses.update({f"{name}_{i}": value for name, value in own.items()})
        return losses

    @staticmethod
    def _check(masks: Sequence[Tensor], classes: Sequence[Tensor], images: int) -> None:
        if not len(masks) == len(classes) == images:
            raise ValueError(
                f"{images} images came with {len(masks)} mask_labels and {len(classes)} class_labels"
            )
        for i, (mask, label) in enumerate(zip(masks, classes, strict=True)):
            if len(mask) != len(label):
                raise ValueError(
                    f"image {i} has {len(mask)} masks and {len(label)} classes; give one class a mask"
                )

    def losses(
        self, found: Prediction, masks: Sequence[Tensor], classes: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Weighted losses of one layer's predictions."""
        logits, maps = found["class_queries_logits"], found["masks_queries_logits"]
        pairs = self.match(logits, maps, masks, classes)
        image, query = matched_queries(pairs)
        goal = torch.full(logits.shape[:2], logits.shape[2] - 1, dtype=torch.long, device=logits.device)
        goal[image, query] = torch.cat([c[objects] for c, (_, objects) in zip(classes, pairs, strict=True)])
        count = max(sum(len(c) for c in classes), 1)
        named = F.cross_entropy(logits.transpose(1, 2), goal, self.empty_weight)
        focal, dice = self.mask_losses(maps, masks, pairs)
        parts = {"loss_cross_entropy": named, "loss_mask": focal / count, "loss_dice": dice / count}
        return {name: self.weights[name] * value for name, value in parts.items()}

    @torch.no_grad()
    def match(
        self, logits: Tensor, maps: Tensor, masks: Sequence[Tensor], classes: Sequence[Tensor]
    ) -> Pairs:
        """The queries that answer for the objects."""
        pairs = []
        for chances, own, mask, label in zip(logits.softmax(-1), maps, masks, classes, strict=True):
            cost, dice = self.mask_costs(own, mask)
            total = self.weights["loss_mask"] * cost + self.weights["loss_dice"] * dice
            total = (total - self.class_cost * chances[:, label]).float().clamp(-1e10, 1e10).nan_to_num(0)
            pairs.append(assigned(total))
        return pairs

    def mask_costs(self, maps: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """(queries, objects) twice: of logits (queries, h, w) for masks (objects, height, width)."""
        masks = F.interpolate(masks[:, None], size=maps.shape[-2:], mode="nearest").flatten(1)
        return pairwise_focal(maps.flatten(1), masks), pairwise_dice(maps.flatten(1), masks)

    def mask_losses(self, maps: Tensor, masks: Sequence[Tensor], pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Sums over all pairs of each one's mean focal loss, and of its Dice loss."""
        focal = dice = maps.new_zeros(())
        for own, mask, (queries, objects) in zip(maps, masks, pairs, strict=True):
            goal = mask[objects].flatten(1)
            size = (mask.shape[-2], mask.shape[-1])
            taken = F.interpolate(own[queries][:, None], size=size, mode="bilinear", align_corners=False)
            focal = focal + sigmoid_focal_losses(taken.flatten(1), goal).mean(1).sum()
            dice = dice + dice_losses(taken.flatten(1), goal).sum()
        return focal, dice


def sample_points(maps: Tensor, points: Tensor) -> Tensor:
    """(n, points) of maps (n, height, width), bilinearly; points (n, points, 2) are x and y from 0 to 1."""
    found = sample(maps[:, None], points[:, :, None] * 2 - 1)
    return found[:, 0, :, 0]


class PointMaskSetLoss(MaskSetLoss):
    """Masks compared at random points, most where they are in doubt, by cross-entropy and Dice.

    Args:
        points: how many. oversample: points drawn for each one taken. important: the share of points that
            are the most doubtful ones of those drawn (https://arxiv.org/abs/1912.08193).
    """

    def __init__(
        self,
        labels: int,
        weights: Mapping[str, float],
        *,
        no_object_weight: float,
        class_cost: float,
        points: int,
        oversample: float,
        important: float,
    ) -> None:
        super().__init__(labels, weights, no_object_weight=no_object_weight, class_cost=class_cost)
        self.points, self.oversample, self.important = points, oversample, important

    def mask_costs(self, maps: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        points = torch.rand(1, self.points, 2, device=maps.device)
        goal = sample_points(masks, points.expand(len(masks), -1, -1))
        logits = sample_points(maps, points.expand(len(maps), -1, -1))
        return pairwise_cross_entropy(logits, goal), pairwise_dice(logits, goal)

    def mask_losses(self, maps: Tensor, masks: Sequence[Tensor], pairs: Pairs) -> tuple[Tensor, Tensor]:
        own = torch.cat([x[queries] for x, (queries, _) in zip(maps, pairs, strict=True)])
        goals = torch.cat([mask[objects] for mask, (_, objects) in zip(masks, pairs, strict=True)])
        with torch.no_grad():
            points = self.doubtful_points(own)
            goal = sample_points(goals, points)
        logits = sample_points(own, points)
        named = F.binary_cross_entropy_with_logits(logits, goal, reduction="none")
        return named.mean(1).sum(), dice_losses(logits, goal).sum()

    def doubtful_points(self, maps: Tensor) -> Tensor:
        """(n, points, 2) of logits (n, height, width)."""
        drawn = torch.rand(len(maps), int(self.points * self.oversample), 2, device=maps.device)
        count = int(self.important * self.points)
        best = (-sample_points(maps, drawn).abs()).topk(count, dim=1).indices
        rest = torch.rand(len(maps), self.points - count, 2, device=maps.device)
        return torch.cat((drawn.take_along_dim(best[..., None], 1), rest), dim=1)
