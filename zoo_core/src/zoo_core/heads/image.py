"""Heads of image encoders."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.outputs import ImageClassifierOutput, MaskedImageModelingOutput, ModelOutput
from zoo_core.nn.patch import pair


class ForImageClassification(Headed):
    """A linear layer on what `features` picks, by default the first token; logits (batch, num_labels)."""

    main_input_name = "pixel_values"
    output_class: type[ModelOutput] = ImageClassifierOutput

    def build_head(self, config: PretrainedConfig) -> None:
        width = self.features_width(config)
        self.classifier = nn.Linear(width, config.num_labels) if config.num_labels > 0 else nn.Identity()

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


class ForMaskedImageModeling(Headed):
    """Pixels of masked patches from the patches' states (https://arxiv.org/abs/2111.09886)."""

    main_input_name = "pixel_values"

    def build_head(self, config: PretrainedConfig) -> None:
        stride = config.encoder_stride
        self.decoder = nn.Sequential(
            nn.Conv2d(config.hidden_size, stride**2 * config.num_channels, kernel_size=1),
            nn.PixelShuffle(stride),
        )

    def patches(self, outputs: ModelOutput) -> Tensor:
        """(batch, patches, hidden) from the base model's output: all but the class token."""
        return outputs.last_hidden_state[:, 1:]

    def forward(
        self, pixel_values: Tensor | None = None, bool_masked_pos: Tensor | None = None, **inputs: Any
    ) -> MaskedImageModelingOutput:
        """`bool_masked_pos` (batch, patches) says which patches are masked; with it there is a loss."""
        config = self.config
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        if bool_masked_pos is not None and config.patch_size != config.encoder_stride:
            raise ValueError(
                f"patch_size is {config.patch_size} and encoder_stride {config.encoder_stride}: they must be "
                "equal, so that reconstructed and masked patches have one size"
            )
        outputs = self.model(pixel_values, bool_masked_pos=bool_masked_pos, **inputs)
        height, width = (
            n // p for n, p in zip(pixel_values.shape[-2:], pair(config.patch_size), strict=True)
        )
        image = self.patches(outputs).transpose(1, 2).unflatten(2, (height, width))
        reconstruction = self.decoder(image)
        loss = None
        if bool_masked_pos is not None:
            rows, columns = pair(config.patch_size)
            mask = bool_masked_pos.view(-1, 1, height, width).to(reconstruction)
            mask = mask.repeat_interleave(rows, 2).repeat_interleave(columns, 3)
            difference = F.l1_loss(pixel_values, reconstruction, reduction="none")
            loss = (difference * mask).sum() / (mask.sum() + 1e-5) / config.num_channels
        return MaskedImageModelingOutput.carry(outputs, loss=loss, reconstruction=reconstruction)
