"""Gemma 3n: what an image and a sound say takes the place of tokens, which each layer embeds anew."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.parts import build_part
from zoo_core.nn.cache import Cache
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.recording import unrecorded
from zoo_multimodal.gemma3n.config import Gemma3nConfig
from zoo_multimodal.image_text import (
    ImageTextCausalLMOutput,
    ImageTextModelOutput,
    NamedAsBuiltForConditionalGeneration,
    find_placeholders,
    flattened,
    place_features,
    repeated_rows,
)


class Gemma3nModelOutput(ImageTextModelOutput):
    """As its base; `audio_hidden_states` are the projected features of sounds."""

    audio_hidden_states: Tensor | None = None


class Gemma3nCausalLMOutput(ImageTextCausalLMOutput):
    """As its base; `audio_hidden_states` are the projected features of sounds."""

    audio_hidden_states: Tensor | None = None


class Gemma3nPreTrainedModel(PreTrainedModel):
    """What all Gemma 3n classes share."""

    config_class = Gemma3nConfig
    base_model_prefix = "model"


class MediaEmbedder(nn.Module):
    """Features of a tower, and tokens of a part of the vocabulary, as embeddings of the language model."""

    def __init__(self, config: PretrainedConfig, text: PretrainedConfig) -> None:
        super().__init__()
        size, norm = config.hidden_size, partial(RMSNorm, eps=config.rms_norm_eps, scale_in_float32=True)
        self.offset = config.vocab_offset
        self.embedding = nn.Embedding(config.vocab_size, size)
        self.hard_embedding_norm, self.soft_embedding_norm = norm(size), norm(size)
        self.embedding_projection = nn.Linear(size, text.hidden_size, bias=False)
        self.post_norm = norm(text.hidden_size, affine=False)

    def forward(self, features: Tensor) -> Tensor:
        """(..., width) to (..., hidden)."""
        return self.post_norm(self.embedding_projection(self.soft_embedding_norm(features)))

    def tokens(self, ids: Tensor) -> Tensor:
        """Ids of the whole vocabulary (n,) to (n, hidden)."""
        normed = self.hard_embedding_norm(self.embedding(ids - self.offset))
        return self.post_norm(self.embedding_projection(normed))


class Gemma3nModel(Gemma3nPreTrainedModel):
    """The towers and the decoder without its head."""

    #: the image tower's own table drops the level that it has in files of its own
    hub_names = {"vision_tower": "vision_tower.timm_model"}

    def __init__(self, config: Gemma3nConfig) -> None:
        super().__init__(config)
        self.vision_tower = build_part(config.vision_config)
        self.audio_tower = build_part(config.audio_config)
        self.language_model = build_part(config.text_config)
        self.embed_vision = MediaEmbedder(config.vision_config, config.text_config)
        self.embed_audio = MediaEmbedder(config.audio_config, config.text_config)
        self.post_init()

    def get_decoder(self) -> nn.Module:
        return self.language_model

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """Images (images, 3, height, width) to (images, features, hidden)."""
        with unrecorded():
            seen = self.vision_tower(pixel_values, do_pooling=False).last_hidden_state
        features = seen.flatten(2).transpose(1, 2)
        return self.embed_vision(features * self.config.vision_config.hidden_size**0.5)

    def get_audio_features(self, input_features: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Sounds (sounds, frames, bands) to (sounds, features, hidden), and which of these are padding.

        padding: bool (sounds, frames), true for frames that are padding.
        """
        with unrecorded():
            heard, hidden = self.audio_tower(input_features, padding)
        return self.embed_audio(heard), hidden

    def padded_audio_features(self, input_features: Tensor, mask: Tensor | None) -> Tensor:
        """Features (sounds, as many as a sound has placeholders, hidden); the last token stands for padding.

        mask: (sounds, frames), true for frames that are no padding.
        """
        if mask is None:
            raise ValueError("input_features come with input_features_mask, as the processor makes them")
        features, padding = self.get_audio_features(input_features, ~mask.bool())
        last = torch.tensor([self.config.text_config.vocab_size - 1], device=features.device)
        filler = self.embed_audio.tokens(last)
        features = torch.where(padding[..., None], filler, features)
        count = self.config.audio_soft_tokens_per_image
        if features.shape[1] > count:
            raise ValueError(
                f"a sound has {features.shape[1]} features, and the model takes {count}; shorten it, as the "
                "feature extractor does with truncation=True"
            )
        missing = filler.expand(len(features), count - features.shape[1], -1)
        return torch.cat((features, missing), dim=1)

    def embed_text(self, input_ids: Tensor) -> Tensor:
        """Embeddings of ids; the towers embed those of their parts of the vocabulary."""
        table: Any = self.get_input_embeddings()
        embedded: Tensor = table(input_ids)
        heard = input_ids >= self.embed_audio.offset
        seen = (input_ids >= self.embed_vision.offset) & ~heard
        for places, embedder in ((seen, self.embed_vision), (heard, self.embed_audio)):
            if places.any():
                own = embedder.tokens(input_ids[places])
                embedded = embedded.masked_scatter(places[..., None], own.to(embedded.dtype))
        return embedded

    def per_layer_inputs(self, input_ids: Tensor) -> Tensor:
        """What the layers embed: ids of the text, and the first where they embed none."""
        language: Any = self.language_model
        limit = self.config.text_config.vocab_size_per_layer_input
        known = (input_ids >= 0) & (input_ids < limit)
        inputs: Tensor = language.get_per_layer_inputs(input_ids.where(known, 0))
        return inputs

    def places(self, input_ids: Tensor | None, embedded: Tensor, token: int) -> Tensor:
        """(batch, sequence) bool: where a placeholder stands."""
        return find_placeholders(input_ids, embedded, token, self.get_input_embeddings())

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        input_features_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        image_features: Tensor | None = None,
        audio_features: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **inputs: Any,
    ) -> Gemma3nModelOutput:
        """Text (batch, sequence) with placeholders, and its images and sounds, to states.

        Args:
            pixel_values: (images, 3, height, width). input_features: (sounds, frames, bands).
            input_features_mask: (sounds, frames), true for frames that are no padding.
            image_features, audio_features: (..., hidden), where they are known already.
            token_type_ids: not read; what is an image changes nothing.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if input_ids is not None:
            inputs_embeds = self.embed_text(input_ids)
            inputs.setdefault("per_layer_inputs", self.per_layer_inputs(input_ids))
        assert inputs_embeds is not None
        if pixel_values is not None:
            image_features = self.get_image_features(pixel_values)
        if input_features is not None:
            audio_features = self.padded_audio_features(input_features, input_features_mask)
        tokens = {"image": self.config.image_token_id, "audio": self.config.audio_token_id}
        for (what, token), features in zip(tokens.items(), (image_features, audio_features), strict=True):
            if features is not None:
                places = self.places(input_ids, inputs_embeds, token)
                inputs_embeds = place_features(inputs_embeds, places, flattened(features), what=what)
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            **inputs,
        )
        return Gemma3nModelOutput.carry(
            outputs, image_hidden_states=image_features, audio_hidden_states=audio_features
        )


class Gemma3nForConditionalGeneration(NamedAsBuiltForConditionalGeneration, Gemma3nPreTrainedModel):
    """Gemma 3n with the language model's head."""

    base_class = Gemma3nModel
    output_class = Gemma3nCausalLMOutput
    mask_hides_labels = True

    def score(self, hidden: Tensor) -> Tensor:
        logits, cap = self.lm_head(hidden), self.config.get_text_config().final_logit_softcapping
        return logits if cap is None else torch.tanh(logits / cap) * cap

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times, with the features of all its images and sounds."""
        model: Any = self.model
        inputs, repeated = dict(inputs), {}
        names = ("pixel_values", "input_features", "input_features_mask")
        pixels, sounds, mask = (inputs.pop(name, None) for name in names)
        if pixels is not None and input_ids.shape[1]:
            places = input_ids == self.config.image_token_id
            repeated["image_features"] = repeated_rows(model.get_image_features(pixels), places, times)
        if sounds is not None and input_ids.shape[1]:
            places = input_ids == self.config.audio_token_id
            features = model.padded_audio_features(sounds, mask)
            repeated["audio_features"] = repeated_rows(features, places, times)
        return {**super().repeat_inputs(inputs, times, input_ids=input_ids), **repeated}
