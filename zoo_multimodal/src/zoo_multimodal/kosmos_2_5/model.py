"""KOSMOS-2.5: pages as patches of a Pix2Struct, resampled, in the text of KOSMOS-2's decoder."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_multimodal.kosmos_2.model import Kosmos2ModelOutput, KosmosForConditionalGeneration, KosmosModel
from zoo_multimodal.kosmos_2.text import KosmosDecoder
from zoo_multimodal.kosmos_2_5.config import Kosmos2_5Config, Kosmos2_5TextConfig, Kosmos2_5VisionConfig
from zoo_multimodal.pix2struct.model import Pix2StructVisionModel


class Kosmos2_5PreTrainedModel(PreTrainedModel):
    """What all KOSMOS-2.5 classes share."""

    config_class = Kosmos2_5Config
    ignored_names = ("*embed_positions.weights",)


class Kosmos2_5TextModel(Kosmos2_5PreTrainedModel, KosmosDecoder):
    """The decoder without its head."""

    config_class = Kosmos2_5TextConfig
    inner_norm = False
    segments = True


class Kosmos2_5VisionModel(Pix2StructVisionModel):
    """The encoder of patches; attention is scaled."""

    config_class = Kosmos2_5VisionConfig

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        for layer in self.layers:
            layer.self_attn.scale = config.head_dim**-0.5


class Kosmos2_5Model(Kosmos2_5PreTrainedModel, KosmosModel):
    """The model without its head."""

    text_class = Kosmos2_5TextModel
    vision_class = Kosmos2_5VisionModel

    def forward(
        self,
        input_ids: Tensor | None = None,
        flattened_patches: Tensor | None = None,
        width: Tensor | None = None,
        height: Tensor | None = None,
        image_embeds_position_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        image_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> Kosmos2ModelOutput:
        """Pages (images, patches, 2 + values of a patch) in texts (batch, sequence) to states.

        `image_embeds_position_mask` (batch, sequence) is 1 where features of pages stand, -1 at the tokens
        around them. `width` and `height`, which the processor gives for its own use, are not read.
        """
        return self.read(
            flattened_patches,
            input_ids,
            image_embeds_position_mask,
            image_embeds=image_embeds,
            options={},
            attention_mask=attention_mask,
            **inputs,
        )


class Kosmos2_5ForConditionalGeneration(KosmosForConditionalGeneration, Kosmos2_5PreTrainedModel):
    """KOSMOS-2.5 with a language modeling head."""

    base_class = Kosmos2_5Model

    def forward(
        self,
        input_ids: Tensor | None = None,
        flattened_patches: Tensor | None = None,
        width: Tensor | None = None,
        height: Tensor | None = None,
        image_embeds_position_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> ModelOutput:
        """As the base model's; `labels` (batch, sequence), of which -100 does not count, make the loss."""
        outputs = self.model(
            input_ids,
            flattened_patches,
            image_embeds_position_mask=image_embeds_position_mask,
            attention_mask=attention_mask,
            **inputs,
        )
        return self.score_all(outputs, labels, logits_to_keep)
