"""Idefics2: images of their own shape, resampled to a few features each, in the text of a Mistral."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.generation import GenerationMixin
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.recording import unrecorded
from zoo_multimodal.idefics2.config import Idefics2Config, Idefics2PerceiverConfig
from zoo_multimodal.idefics2.vision import Idefics2VisionTransformer, real_images
from zoo_multimodal.image_text import (
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
    find_placeholders,
)


class Idefics2PreTrainedModel(PreTrainedModel):
    """What all Idefics2 classes share."""

    config_class = Idefics2Config
    base_model_prefix = "model"


class PerceiverLayer(nn.Module):
    """Latents attend to image features and to themselves, then pass a feed-forward block."""

    def __init__(self, config: Idefics2PerceiverConfig) -> None:
        super().__init__()
        size = config.hidden_size
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        self.input_latents_norm, self.input_context_norm = norm(size), norm(size)
        self.self_attn = Attention(
            size,
            config.resampler_n_heads,
            num_kv_heads=config.num_key_value_heads,
            head_dim=config.resampler_head_dim,
            bias=False,
            cross=True,
        )
        self.post_attention_layernorm = norm(size)
        self.mlp = GatedMLP(size, size * 4, config.hidden_act)

    def forward(self, latents: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """Latents (images, latents, hidden) over features (images, patches, hidden); `mask` covers both."""
        normed = self.input_latents_norm(latents)
        seen = torch.cat((self.input_context_norm(features), normed), dim=1)
        context = AttentionContext(normed, encoder_states=seen, encoder_padding=mask)
        latents = latents + self.self_attn(normed, context)
        return latents + self.mlp(self.post_attention_layernorm(latents))


class PerceiverResampler(nn.Module):
    """A fixed number of features from any number of them (https://arxiv.org/abs/2204.14198)."""

    def __init__(self, config: Idefics2PerceiverConfig) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.ones(config.resampler_n_latents, config.hidden_size))
        self.layers = nn.ModuleList(PerceiverLayer(config) for _ in range(config.resampler_depth))
        self.norm = RMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """(images, patches, hidden), with a mask (images, patches), to (images, latents, hidden)."""
        latents = self.latents.expand(len(features), -1, -1)
        mask = torch.cat((mask, mask.new_ones(latents.shape[:2])), dim=1)
        with unrecorded():
            for layer in self.layers:
                latents = layer(latents, features, mask)
        return self.norm(latents)


class ModalityProjection(GatedMLP):
    """A gated block between two widths."""

    def __init__(self, width: int, intermediate_size: int, hidden_size: int, act: str) -> None:
        super().__init__(width, intermediate_size, act)
        self.down_proj = nn.Linear(intermediate_size, hidden_size, bias=False)


class Connector(nn.Module):
    """Image features to the language model's width, and resampled."""

    def __init__(self, config: Idefics2Config) -> None:
        super().__init__()
        text, width = config.text_config, config.vision_config.hidden_size
        self.modality_projection = ModalityProjection(
            width, text.intermediate_size, text.hidden_size, text.hidden_act
        )
        self.perceiver_resampler = PerceiverResampler(config.perceiver_config)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        return self.perceiver_resampler(self.modality_projection(features), mask)


class SampledImagesModel(ImageTextModel):
    """Samples of several images, padded in number and size, in a text (Idefics 2 and 3, SmolVLM)."""

    hub_names = {
        "vision_tower": "vision_model",
        "multi_modal_projector": "connector",
        "language_model": "text_model",
    }
    flat_image_states = True

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        pixel_values: Tensor | None = None,
        pixel_attention_mask: Tensor | None = None,
        image_hidden_states: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """Text (batch, sequence) with placeholders, and their images, to states (batch, sequence, hidden).

        Args:
            pixel_values: (batch, images, channels, height, width); images of zeros pad a sample.
            pixel_attention_mask: (batch, images, height, width), 1 for pixels that are no padding.
            image_hidden_states: features that `get_image_features` gave, instead of pixels.
        """
        if pixel_values is not None and image_hidden_states is not None:
            raise ValueError("pass pixel_values or image_hidden_states, not both")
        return super().forward(
            input_ids,
            pixel_values,
            attention_mask,
            position_ids,
            features=image_hidden_states,
            pixel_attention_mask=pixel_attention_mask,
            **inputs,
        )

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"pixel_attention_mask": inputs.pop("pixel_attention_mask", None)}

    def places(self, input_ids: Tensor | None, embedded: Tensor) -> Tensor:
        return find_placeholders(input_ids, embedded, self.config.image_token_id, self.get_input_embeddings())


class Idefics2Model(Idefics2PreTrainedModel, SampledImagesModel):
    """The model without its head."""

    def make_tower(self, config: Idefics2Config) -> nn.Module:
        return Idefics2VisionTransformer(config.vision_config)

    def make_projector(self, config: Idefics2Config) -> nn.Module:
        return Connector(config)

    def get_image_features(  # type: ignore[override]
        self, pixel_values: Tensor, pixel_attention_mask: Tensor | None = None
    ) -> Tensor:
        """Samples of images, see `forward`, to features (images, latents, hidden)."""
        images, patches = real_images(
            pixel_values, pixel_attention_mask, self.config.vision_config.patch_size
        )
        states = self.vision_tower(images, patches).last_hidden_state
        return self.multi_modal_projector(states, patches.flatten(1))


class SampledImagesForConditionalGeneration(ImageTextForConditionalGeneration):
    """Such a model with the language model's head."""

    head_names: dict[str, str] = {}
    base_name = None
    repeat_inputs = GenerationMixin.repeat_inputs  # its images come in rows

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> Any:
        """Text (batch, sequence) with placeholders, and their images, to scores of the next token."""
        return super().forward(input_ids, attention_mask=attention_mask, **inputs)

    def ties(self) -> dict[str, str]:
        tied = self.config.tie_word_embeddings
        return {"lm_head.weight": "model.language_model.embed_tokens.weight"} if tied else {}


class Idefics2ForConditionalGeneration(SampledImagesForConditionalGeneration, Idefics2PreTrainedModel):
    """Idefics2 with the language model's head."""

    base_class = Idefics2Model
