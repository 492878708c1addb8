"""Phi-4-multimodal: images and sounds in the text of a Phi-4-mini."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_multimodal.image_text import find_placeholders, place_features, repeated_rows
from zoo_multimodal.phi4_multimodal.audio import Phi4MultimodalAudioEmbedding
from zoo_multimodal.phi4_multimodal.config import Phi4MultimodalConfig
from zoo_multimodal.phi4_multimodal.vision import Phi4MultimodalImageEmbedding
from zoo_text.phi3.model import LongRopeGeneration, Phi3Model

#: inputs of each kind of medium: the values, their sizes and their mask
MEDIA = {
    "image": ("image_pixel_values", "image_sizes", "image_attention_mask"),
    "audio": ("audio_input_features", "audio_embed_sizes", "audio_attention_mask"),
}


class Phi4MultimodalPreTrainedModel(PreTrainedModel):
    """What all Phi-4-multimodal classes share."""

    config_class = Phi4MultimodalConfig
    base_model_prefix = "model"


class Phi4MultimodalModel(Phi4MultimodalPreTrainedModel, Phi3Model):
    """The model without its head."""

    hub_names = {
        **Phi3Model.hub_names,
        "image_embed": "embed_tokens_extend.image_embed",
        "audio_embed": "embed_tokens_extend.audio_embed",
    }

    def make_embeddings(self, config: Phi4MultimodalConfig) -> None:  # type: ignore[override]
        super().make_embeddings(config)
        self.embed_dropout = nn.Dropout(config.embd_pdrop)
        self.image_embed = Phi4MultimodalImageEmbedding(config)
        self.audio_embed = Phi4MultimodalAudioEmbedding(config)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        return self.embed_dropout(super().embed(input_ids, inputs_embeds, position_ids, past))

    def places(self, kind: str, input_ids: Tensor | None, embedded: Tensor) -> Tensor:
        """(batch, sequence) bool: where features of images or audio stand."""
        part = self.config.vision_config if kind == "image" else self.config.audio_config
        return find_placeholders(input_ids, embedded, getattr(part, f"{kind}_token_id"), self.embed_tokens)

    def features_of(self, kind: str, media: Mapping[str, Sequence[Tensor | None]]) -> Tensor:
        """Features (n, hidden) of the images or sounds among `media`: values, sizes and mask of each kind."""
        values, sizes, mask = media[kind]
        if values is None or sizes is None:
            raise ValueError(f"{MEDIA[kind][0]} come with {MEDIA[kind][1]}, as the processor makes them")
        if kind == "image":
            return self.image_embed(values, sizes, mask)
        return self.audio_embed(values, sizes, mask, beside_images=media["image"][0] is not None)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        image_pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        image_attention_mask: Tensor | None = None,
        audio_input_features: Tensor | None = None,
        audio_embed_sizes: Tensor | None = None,
        audio_attention_mask: Tensor | None = None,
        image_features: Tensor | None = None,
        audio_features: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Text (batch, sequence) with placeholders, and their images and sounds, to states.

        Args:
            image_pixel_values: (images, tiles, channels, side, side), the whole image first. image_sizes:
                (images, 2), heights and widths of the canvases. image_attention_mask: (images, tiles, rows,
                columns), 1 for patches that are no padding.
            audio_input_features: (sounds, frames, bands). audio_embed_sizes: (sounds,), features of each.
                audio_attention_mask: (sounds, frames), true for frames that are no padding.
            image_features, audio_features: (n, hidden), where they are known already.
        """
        media = {
            "image": (image_pixel_values, image_sizes, image_attention_mask),
            "audio": (audio_input_features, audio_embed_sizes, audio_attention_mask),
        }
        if inputs_embeds is None and input_ids is not None:
            inputs_embeds = self.embed_tokens(input_ids)
        for kind, features in (("image", image_features), ("audio", audio_features)):
            if inputs_embeds is None or (features is None and media[kind][0] is None):
                continue
            places = self.places(kind, input_ids, inputs_embeds)
            if not places.any():
                warnings.warn(
                    f"the text has no {kind} placeholder, so {MEDIA[kind][0]} are not used", stacklevel=2
                )
                continue
            features = self.features_of(kind, media) if features is None else features
            inputs_embeds = place_features(inputs_embeds, places, features, what=kind)
        return super().forward(
            None, attention_mask, position_ids, past_key_values, inputs_embeds=inputs_embeds, **inputs
        )


class Phi4MultimodalForCausalLM(LongRopeGeneration, ForCausalLM, Phi4MultimodalPreTrainedModel):
    """Phi-4-multimodal with a language modeling head."""

    base_class = Phi4MultimodalModel

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times, with the features of all its images and sounds."""
        model: Any = self.model
        inputs, repeated = dict(inputs), {}
        media = {kind: [inputs.pop(name, None) for name in names] for kind, names in MEDIA.items()}
        for kind in MEDIA:
            if media[kind][0] is None or not input_ids.shape[1]:
                continue
            places = model.places(kind, input_ids, torch.empty(0))
            if places.any():
                repeated[f"{kind}_features"] = repeated_rows(model.features_of(kind, media), places, times)
        return {**super().repeat_inputs(inputs, times, input_ids=input_ids), **repeated}
