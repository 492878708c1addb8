"""Heads of image encoders."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.outputs import (
    ImageClassifierOutput,
    ImageClassifierOutputWithNoAttention,
    MaskedImageModelingOutput,
    ModelOutput,
)
from zoo_core.nn.patch import pair


class ForImageClassification(Headed):
    """A linear layer on what `features` picks, by default the first token; logits (batch, num_labels)."""

    main_input_name = "pixel_values"
    output_class: type[ModelOutput] = ImageClassifierOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.classifier = self.make_classifier(config)

    def make_classifier(self, config: PretrainedConfig) -> nn.Module:
        """What makes logits of what `features` picks."""
        width = self.features_width(config)
        return nn.Linear(width, config.num_labels) if config.num_labels > 0 else nn.Identity()

    def features_width(self, config: PretrainedConfig) -> int:
        """Width of what `features` returns."""
        return config.hidden_size

    def features(self, outputs: ModelOutput) -> Tensor:
        """(batch, width) from the base model's output."""
        return outputs.last_hidden_state[:, 0]

    def forward(
        self, pixel_values: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        outputs = self.model(pixel_values, **inputs)
        logits = self.classifier(self.features(outputs))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ForPooledImageClassification(ForImageClassification):
    """A linear layer on the pooled state of a convolutional network, of any shape that flattens to one."""

    output_class = ImageClassifierOutputWithNoAttention

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.pooler_output.flatten(1)


class DistilledClassifierOutput(ModelOutput):
    """`logits` (batch, labels), the mean of `cls_logits` and `distillation_logits`."""

    logits: Tensor
    cls_logits: Tensor
    distillation_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ForDistilledImageClassification(ForImageClassification):
    """Two classifiers, one taught by labels and one by a teacher (https://arxiv.org/abs/2012.12877).

    For inference only: there is no loss.
    """

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.distillation_classifier = self.make_classifier(config)

    def distilled_features(self, outputs: ModelOutput) -> Tensor:
        """What the classifier that follows the teacher looks at, by default the same."""
        return self.features(outputs)

    def forward(self, pixel_values: Tensor | None = None, **inputs: Any) -> ModelOutput:
        outputs = self.model(pixel_values, **inputs)
        own = self.classifier(self.features(outputs))
        taught = self.distillation_classifier(self.distilled_features(outputs))
        logits = (own + taught) / 2
        return DistilledClassifierOutput.carry(
            outputs, logits=logits, cls_logits=own, distillation_logits=taught
        )


class ForMaskedImageModeling(Headed):
    """Pixels of masked patches from the patches' states (https://arxiv.org/abs/2111.09886)."""

    main_input_name = "pixel_values"
    output_class: type[ModelOutput] = MaskedImageModelingOutput

    def build_head(self, config: PretrainedConfig) -> None:
        stride = config.encoder_stride
        self.decoder = nn.Sequential(
            nn.Conv2d(self.features_width(config), stride**2 * config.num_channels, kernel_size=1),
            nn.PixelShuffle(stride),
        )

    def features_width(self, config: PretrainedConfig) -> int:
        """Width of what `patches` returns."""
        return config.hidden_size

    def patches(self, outputs: ModelOutput) -> Tensor:
        """(batch, patches, width) from the base model's output: all but the class token."""
        return outputs.last_hidden_state[:, 1:]

    def forward(
        self, pixel_values: Tensor | None = None, bool_masked_pos: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        """`bool_masked_pos` (batch, patches) says which patches are masked; with it there is a loss."""
        config = self.config
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        outputs = self.model(pixel_values, bool_masked_pos=bool_masked_pos, **inputs)
        patches = self.patches(outputs)
        height, width = pixel_values.shape[-2:]
        rows = round((patches.shape[1] * height / width) ** 0.5)
        reconstruction = self.decoder(patches.transpose(1, 2).unflatten(2, (rows, -1)))
        loss = None
        if bool_masked_pos is not None:
            if reconstruction.shape != pixel_values.shape:
                raise ValueError(
                    f"the reconstruction is {tuple(reconstruction.shape[-2:])}, the image {(height, width)}: "
                    f"encoder_stride {config.encoder_stride} must undo what the encoder (patch_size "
                    f"{config.patch_size}) makes smaller"
                )
            down, across = pair(config.patch_size)
            mask = bool_masked_pos.view(-1, 1, height // down, width // across).to(reconstruction)
            mask = mask.repeat_interleave(down, 2).repeat_interleave(across, 3)
            difference = F.l1_loss(pixel_values, reconstruction, reduction="none")
            loss = (difference * mask).sum() / (mask.sum() + 1e-5) / config.num_channels
        return self.output_class.carry(outputs, loss=loss, reconstruction=reconstruction)
