"""Fuyu: a language model that reads patches of images, mapped linearly, in the place of tokens."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.parts import build_part
from zoo_multimodal.fuyu.config import FuyuConfig
from zoo_multimodal.image_text import (
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
    find_placeholders,
)


class FuyuPreTrainedModel(PreTrainedModel):
    """What both Fuyu classes share."""

    config_class = FuyuConfig
    base_model_prefix = "fuyu"


class FuyuModel(FuyuPreTrainedModel, ImageTextModel):
    """The model without its head."""

    aliases = {"^model.vision_embed_tokens": "vision_embed_tokens", **ImageTextModel.aliases}

    def __init__(self, config: FuyuConfig) -> None:
        PreTrainedModel.__init__(self, config)
        self.vision_embed_tokens = nn.Linear(config.patch_size**2 * config.num_channels, config.hidden_size)
        self.language_model = build_part(config.text_config)
        self.post_init()

    def get_image_features(self, pixel_values: Any, **options: Any) -> Any:
        """Flattened patches (images, patches, pixels), or a list of (patches, pixels), to embeddings."""
        if isinstance(pixel_values, Tensor):
            return self.vision_embed_tokens(pixel_values)
        return [self.vision_embed_tokens(patches).flatten(0, -2) for patches in pixel_values]

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        image_patches: Tensor | list[Tensor] | None = None,
        image_patches_indices: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        pixel_values: Any = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """Text (batch, sequence) with placeholders, and patches in their order, to states.

        `image_patches` (or `pixel_values`) are (batch, patches, pixels) or a list of such;
        `image_patches_indices` is taken and not read: the placeholders say where patches go.
        """
        patches: Any = pixel_values if image_patches is None else image_patches
        return super().forward(input_ids, patches, attention_mask, position_ids, **inputs)

    def places(self, input_ids: Tensor | None, embedded: Tensor) -> Tensor:
        return find_placeholders(input_ids, embedded, self.config.image_token_id, self.get_input_embeddings())


class FuyuForCausalLM(ImageTextForConditionalGeneration, FuyuPreTrainedModel):
    """Fuyu with the language model's head."""

    base_class = FuyuModel

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        image_patches: Tensor | list[Tensor] | None = None,
        image_patches_indices: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """As the base model's, to scores of the next token."""
        return super().forward(input_ids, attention_mask=attention_mask, pixel_values=image_patches, **inputs)

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        patches = inputs.pop("image_patches", None)
        return super().repeat_inputs({**inputs, "pixel_values": patches}, times, input_ids=input_ids)
