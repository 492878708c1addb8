"""Language models that hear: projected states of a speech encoder take the place of placeholder tokens.

An architecture says what the features of sounds are; the rest is the same for all.
"""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPast, CausalLMOutputWithPast, ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.cache import Cache
from zoo_multimodal.image_text import find_placeholders, hidden_labels, place_features, repeated_rows


class AudioTextModel(PreTrainedModel):
    """A speech encoder, a projector and a language model without its head."""

    hub_names = {"language_model": "language_model.model"}
    #: inputs that `get_audio_features` takes besides `input_features`
    audio_inputs: ClassVar[tuple[str, ...]] = ()
    #: whether there must be a placeholder for each feature; else the first features fill them
    features_fill: ClassVar[bool] = True

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.make_tower(config)
        self.language_model = build_part(config.text_config)
        self.post_init()

    def make_tower(self, config: PretrainedConfig) -> None:
        """Create what `get_audio_features` uses."""
        self.audio_tower = build_part(config.audio_config)
        self.multi_modal_projector = self.make_projector(config)

    def make_projector(self, config: PretrainedConfig) -> nn.Module:
        """From states of the encoder to embeddings."""
        raise NotImplementedError

    def get_audio_features(self, input_features: Tensor, **options: Any) -> Tensor:
        """Embeddings (features of all sounds, hidden) of sounds (sounds, bands, frames)."""
        raise NotImplementedError

    def get_decoder(self) -> nn.Module:
        return self.language_model

    def take_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Take what `get_audio_features` needs besides the sounds out of `inputs`."""
        return {name: inputs.pop(name) for name in self.audio_inputs if name in inputs}

    def places(self, input_ids: Tensor | None, embedded: Tensor) -> Tensor:
        """(batch, sequence) bool: where the placeholders are."""
        return find_placeholders(input_ids, embedded, self.config.audio_token_id, self.get_input_embeddings())

    def embed_text(self, input_ids: Tensor) -> Tensor:
        """Embeddings of ids, among which placeholders may lie beyond the vocabulary."""
        table: Any = self.get_input_embeddings()
        if self.config.audio_token_id >= table.num_embeddings:
            input_ids = input_ids.masked_fill(input_ids == self.config.audio_token_id, 0)
        embedded: Tensor = table(input_ids)
        return embedded

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        *,
        features: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Text (batch, sequence) with placeholders, and their sounds, to states (batch, sequence, hidden).

        `features` are what `get_audio_features` gave, where they are known already.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if inputs_embeds is None:
            assert input_ids is not None
            inputs_embeds = self.embed_text(input_ids)
        options = self.take_options(inputs)
        if input_features is not None:
            features = self.get_audio_features(input_features, **options)
        if features is not None:
            places = self.places(input_ids, inputs_embeds)
            inputs_embeds = place_features(
                inputs_embeds, places, features, what="audio", exact=self.features_fill
            )
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            **inputs,
        )
        return BaseModelOutputWithPast.carry(outputs)


class AudioTextForConditionalGeneration(GenerationMixin, Headed):
    """Such a model with the language model's head."""

    head_names = {"lm_head": "language_model.lm_head"}
    base_name = ""
    #: whether tokens that the attention mask hides make no loss
    mask_hides_labels: ClassVar[bool] = False
    output_class: ClassVar[type[ModelOutput]] = CausalLMOutputWithPast

    def build_head(self, config: PretrainedConfig) -> None:
        text = config.get_text_config()
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)

    def ties(self) -> dict[str, str]:
        tied = self.config.get_text_config().tie_word_embeddings
        return {"lm_head.weight": "model.language_model.embed_tokens.weight"} if tied else {}

    def get_decoder(self) -> nn.Module:
        model: Any = self.model
        return model.language_model

    def get_audio_features(self, input_features: Tensor, **options: Any) -> Tensor:
        """Embeddings of sounds, see the base model."""
        model: Any = self.model
        features: Tensor = model.get_audio_features(input_features, **options)
        return features

    def score(self, hidden: Tensor) -> Tensor:
        """Scores of the next token from states."""
        return self.lm_head(hidden)

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> ModelOutput:
        """Text (batch, sequence) with placeholders, and their sounds, to scores of the next token.

        `labels` (batch, sequence), of which -100 does not count, make the loss; `logits_to_keep` scores the
        last positions only (0: all).
        """
        outputs = self.model(input_ids, input_features, attention_mask, **inputs)
        hidden = outputs.last_hidden_state
        logits = self.score(hidden[:, -logits_to_keep:] if logits_to_keep else hidden)
        if labels is not None and self.mask_hides_labels:
            labels = hidden_labels(labels, attention_mask)
        loss = None if labels is None else causal_lm_loss(logits, labels)
        return self.output_class.carry(outputs, loss=loss, logits=logits)

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times, with the features of all its sounds."""
        model: Any = self.model
        inputs, repeated = dict(inputs), {}
        sounds = inputs.pop("input_features", None)
        if sounds is not None and input_ids.shape[1]:
            features = model.get_audio_features(sounds, **model.take_options(inputs))
            repeated["features"] = repeated_rows(features, input_ids == self.config.audio_token_id, times)
        return {**super().repeat_inputs(inputs, times, input_ids=input_ids), **repeated}
