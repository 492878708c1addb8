"""What MaskFormer and its successors share: queries with classes and masks, and their outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.recording import HIDDEN_STATES, wants
from zoo_vision.losses.masks import MaskSetLoss, Prediction


class QueryMapsOutput(ModelOutput):
    """Last maps of the backbone and of the pixel decoder, and the states (batch, queries, hidden)."""

    encoder_last_hidden_state: Tensor
    pixel_decoder_last_hidden_state: Tensor
    transformer_decoder_last_hidden_state: Tensor
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    pixel_decoder_hidden_states: tuple[Tensor, ...] | None = None
    transformer_decoder_hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class QuerySegmenterOutput(QueryMapsOutput, own_first=True):
    """`class_queries_logits` (batch, queries, labels + 1), `masks_queries_logits` (batch, queries, h, w).

    `auxiliary_logits` are the same of the predictions before the last.
    """

    loss: Tensor | None = None
    class_queries_logits: Tensor
    masks_queries_logits: Tensor
    auxiliary_logits: list[dict[str, Tensor]] | None = None


class MaskHead(nn.Sequential):
    """Dense layers with ReLU between them, as to what a query's mask is scored by.

    Args:
        size: between the layers. width: at the end. start: at the beginning, by default `size`.
    """

    def __init__(self, size: int, width: int, *, start: int | None = None, depth: int = 3) -> None:
        sizes = [start or size, *[size] * (depth - 1), width]
        acts = [*(nn.ReLU() for _ in range(depth - 1)), nn.Identity()]
        super().__init__(
            *(nn.Sequential(nn.Linear(*pair), act) for pair, act in zip(pairwise(sizes), acts, strict=True))
        )


class ForQuerySegmentation(PreTrainedModel):
    """A base model under `model`, a `criterion`, and `predictions` of classes and masks."""

    model: PreTrainedModel
    criterion: MaskSetLoss
    output_class: ClassVar[type[QuerySegmenterOutput]] = QuerySegmenterOutput

    def predictions(self, outputs: ModelOutput) -> list[Prediction]:
        """The last one, after the earlier ones where the config has `use_auxiliary_loss`."""
        raise NotImplementedError

    def loss_weights(self, cross_entropy: float) -> Mapping[str, float]:
        """Weights of the loss's parts."""
        mask, dice = self.config.mask_weight, self.config.dice_weight
        return {"loss_cross_entropy": cross_entropy, "loss_mask": mask, "loss_dice": dice}

    def forward(
        self,
        pixel_values: Tensor,
        mask_labels: Sequence[Tensor] | None = None,
        class_labels: Sequence[Tensor] | None = None,
        pixel_mask: Tensor | None = None,
        *,
        output_auxiliary_logits: bool | None = None,
        **inputs: Any,
    ) -> QuerySegmenterOutput:
        """Class scores and masks, of a quarter of the image's size, of all queries.

        Args:
            mask_labels: for each image (objects, height, width) of 0 and 1. class_labels: (objects,).
            output_auxiliary_logits: return the predictions before the last; by default as the config says.
        """
        keeps = wants(HIDDEN_STATES)
        outputs = self.model(pixel_values, pixel_mask, output_hidden_states=True, **inputs)
        *earlier, found = self.predictions(outputs)
        loss = None
        if mask_labels is not None and class_labels is not None:
            losses = self.criterion(found, mask_labels, class_labels, earlier)
            loss = torch.stack(list(losses.values())).sum()
        if output_auxiliary_logits is None:
            output_auxiliary_logits = self.config.output_auxiliary_logits
        if not keeps:
            for name in [n for n in outputs if n.endswith("hidden_states")]:
                del outputs[name]
        auxiliary = earlier if output_auxiliary_logits else None
        return self.output_class.carry(outputs, loss=loss, auxiliary_logits=auxiliary, **found)
