"""DeepSeek-VL: a SigLIP's features, projected, in the text of a Llama."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.deepseek_vl.config import DeepseekVLConfig
from zoo_multimodal.image_text import ImageTextModel, NamedAsBuiltForConditionalGeneration, Projector


class DeepseekVLPreTrainedModel(PreTrainedModel):
    """What all DeepSeek-VL classes share."""

    config_class = DeepseekVLConfig
    base_model_prefix = "model"


class DeepseekVLModel(DeepseekVLPreTrainedModel, ImageTextModel):
    """The model without its head."""

    hub_names = {
        "vision_tower": "vision_model",
        "multi_modal_projector.linear_1": "aligner.linear1",
        "multi_modal_projector.linear_2": "aligner.linear2",
    }
    aliases: dict[str, str] = {}

    def make_projector(self, config: DeepseekVLConfig) -> nn.Module:
        return Projector(config.vision_config.hidden_size, config.text_config.hidden_size, "gelu")

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to (images, patches, hidden)."""
        return self.multi_modal_projector(self.vision_tower(pixel_values).last_hidden_state)


class DeepseekVLForConditionalGeneration(NamedAsBuiltForConditionalGeneration, DeepseekVLPreTrainedModel):
    """DeepSeek-VL with the language model's head."""

    base_class = DeepseekVLModel
