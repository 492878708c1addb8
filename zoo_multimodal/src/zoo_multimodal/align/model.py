"""ALIGN: an EfficientNet whose pooled states, and a BERT whose projected first token, lie close together."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_multimodal.align.config import AlignConfig, AlignTextConfig, AlignVisionConfig
from zoo_multimodal.clip.model import CLIPOutput, contrastive_loss
from zoo_text.bert.model import BertModel
from zoo_vision.efficientnet.model import EfficientNetModel


class AlignPreTrainedModel(PreTrainedModel):
    """What all ALIGN classes share."""

    config_class = AlignConfig
    base_model_prefix = "align"
    ignored_names = ("*position_ids",)


class AlignTextModel(AlignPreTrainedModel, BertModel):
    """The text tower."""

    config_class = AlignTextConfig


class AlignVisionModel(AlignPreTrainedModel, EfficientNetModel):
    """The image tower, without EfficientNet's last convolution."""

    config_class = AlignVisionConfig
    top = False


class AlignOutput(CLIPOutput):
    """As of CLIP: similarities, normalised embeddings, and both towers' outputs."""


class AlignModel(AlignPreTrainedModel):
    """Both towers, the texts' projection, and a learned temperature."""

    def __init__(self, config: AlignConfig) -> None:
        super().__init__(config)
        self.text_model = AlignTextModel(config.text_config)
        self.vision_model = AlignVisionModel(config.vision_config)
        self.text_projection = nn.Linear(config.text_config.hidden_size, config.projection_dim)
        self.temperature = nn.Parameter(torch.tensor(config.temperature_init_value))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is getattr(self, "text_projection", None):
            nn.init.xavier_uniform_(module.weight)

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Projected texts (batch, projection), not normalised."""
        return self.text_projection(self.text_model(input_ids, **inputs).last_hidden_state[:, 0])

    def get_image_features(self, pixel_values: Tensor | None = None) -> Tensor:
        """Pooled images (batch, projection), not normalised."""
        return self.vision_model(pixel_values).pooler_output

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        return_loss: bool | None = None,
    ) -> ModelOutput:
        """Texts (texts, sequence) and images (images, channels, height, width) to their similarities.

        `return_loss` takes pair i to be text i and image i.
        """
        vision = self.vision_model(pixel_values)
        text = self.text_model(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
        )
        return AlignOutput.matching(
            texts=self.text_projection(text.last_hidden_state[:, 0]),
            images=vision.pooler_output,
            scale=1 / self.temperature,
            loss=partial(contrastive_loss, label_smoothing=0.1) if return_loss else None,
            text_model_output=text,
            vision_model_output=vision,
        )
