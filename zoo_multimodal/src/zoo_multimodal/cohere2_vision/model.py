"""Command A Vision: Aya Vision without the norm before its gated block."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.aya_vision.model import GatedProjector
from zoo_multimodal.cohere2_vision.config import Cohere2VisionConfig
from zoo_multimodal.image_text import ImageTextModel, NamedAsBuiltForConditionalGeneration


class Cohere2VisionPreTrainedModel(PreTrainedModel):
    """What all Command A Vision classes share."""

    config_class = Cohere2VisionConfig
    base_model_prefix = "model"


class Cohere2VisionModel(Cohere2VisionPreTrainedModel, ImageTextModel):
    """The model without its head."""

    hub_names: dict[str, str] = {}
    aliases: dict[str, str] = {}

    def make_projector(self, config: Cohere2VisionConfig) -> nn.Module:
        return GatedProjector(config, norm=None)

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to (images, rows, columns, hidden)."""
        return self.multi_modal_projector(self.vision_tower(pixel_values).last_hidden_state)


class Cohere2VisionForConditionalGeneration(
    NamedAsBuiltForConditionalGeneration, Cohere2VisionPreTrainedModel
):
    """Command A Vision with the language model's head."""

    base_class = Cohere2VisionModel
