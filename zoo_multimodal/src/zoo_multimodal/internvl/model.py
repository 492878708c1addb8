"""InternVL: an InternViT's features, neighbours joined and projected, in the text of a Qwen2."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.idefics3.model import joined_squares
from zoo_multimodal.image_text import ImageTextForConditionalGeneration, ImageTextModel, Projector
from zoo_multimodal.internvl.config import InternVLConfig


class InternVLPreTrainedModel(PreTrainedModel):
    """What all InternVL classes share."""

    config_class = InternVLConfig
    base_model_prefix = "model"


class ShuffledProjector(Projector):
    """Squares of features as one, normalised and projected."""

    def __init__(self, config: InternVLConfig) -> None:
        side = round(1 / config.downsample_ratio)
        width = config.vision_config.hidden_size * side**2
        super().__init__(width, config.text_config.hidden_size, config.projector_hidden_act)
        self.side = side
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, features: Tensor) -> Tensor:
        """(images, patches, width) to (images, features, hidden)."""
        return super().forward(self.layer_norm(joined_squares(features, self.side).flatten(1, 2)))


class InternVLModel(InternVLPreTrainedModel, ImageTextModel):
    """The model without its head; the frames of a video are images."""

    def make_projector(self, config: InternVLConfig) -> nn.Module:
        return ShuffledProjector(config)

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        inputs.pop("image_sizes", None)
        names = ("vision_feature_layer", "vision_feature_select_strategy")
        return {name: inputs.pop(name) for name in names if name in inputs}

    def get_image_features(  # type: ignore[override]
        self,
        pixel_values: Tensor,
        vision_feature_layer: int | None = None,
        vision_feature_select_strategy: str | None = None,
    ) -> Tensor:
        """(images, channels, height, width) to (images, features, hidden).

        Layer and strategy ("default" leaves out the class token, "full" keeps it) default to the config's.
        """
        layer = self.config.vision_feature_layer if vision_feature_layer is None else vision_feature_layer
        strategy = vision_feature_select_strategy or self.config.vision_feature_select_strategy
        outputs = self.vision_tower(pixel_values, output_hidden_states=layer != -1)
        states = outputs.last_hidden_state if layer == -1 else outputs.hidden_states[layer]
        return self.multi_modal_projector(states[:, 1:] if strategy == "default" else states)


class InternVLForConditionalGeneration(ImageTextForConditionalGeneration, InternVLPreTrainedModel):
    """InternVL with the language model's head."""

    base_class = InternVLModel
