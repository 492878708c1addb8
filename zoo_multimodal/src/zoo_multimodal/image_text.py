"""Language models that read images: projected image features take the place of placeholder tokens.

An architecture says what the image features are; the rest is the same for all that follow LLaVA
(https://arxiv.org/abs/2304.08485).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.activation import activation
from zoo_core.nn.cache import Cache


class ImageTextModelOutput(ModelOutput):
    """States of the language model; `image_hidden_states` are the projected image features."""

    last_hidden_state: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    image_hidden_states: Tensor | tuple[Tensor, ...] | None = None


class ImageTextCausalLMOutput(ModelOutput):
    """Scores of the next token; `image_hidden_states` are the projected image features."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    image_hidden_states: Tensor | tuple[Tensor, ...] | None = None


class Projector(nn.Module):
    """linear_2(act(linear_1(x))): from image features to the language model's embeddings."""

    def __init__(self, width: int, hidden_size: int, act: str, *, bias: bool = True) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width, hidden_size, bias=bias)
        self.act = activation(act)
        self.linear_2 = nn.Linear(hidden_size, hidden_size, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear_2(self.act(self.linear_1(features)))


def place_features(
    embedded: Tensor, places: Tensor, features: Tensor, *, what: str = "image", exact: bool = True
) -> Tensor:
    """Embeddings (batch, sequence, hidden) with features (n, hidden) at the n true `places`.

    Without `exact` there may be fewer places: the first features fill them, with a warning.

    Raises:
        ValueError: there are not as many placeholders as features.
    """
    count, given = int(places.sum()), features.shape[0]
    if count != given:
        message = (
            f"the text has {count} {what} placeholder tokens for {given} {what} features; the processor puts "
            f"one placeholder for each feature of each {what}, so pass its output unchanged"
        )
        if exact or count > given:
            raise ValueError(message)
        warnings.warn(message, stacklevel=2)
    return embedded.masked_scatter(places[..., None], features.to(embedded.dtype))


def flattened(features: Tensor | Sequence[Tensor]) -> Tensor:
    """Features of all images, (..., features, hidden) or a list of (features, hidden), as (all, hidden)."""
    return features.flatten(0, -2) if isinstance(features, Tensor) else torch.cat(tuple(features))


def repeated_rows(features: Tensor | Sequence[Tensor], places: Tensor, times: int) -> Tensor:
    """Features that stand at `places` (batch, sequence), those of each row `times` times."""
    rows = flattened(features)[: int(places.sum())].split(places.sum(1).tolist())
    return torch.cat([row.repeat(times, 1) for row in rows])


def hidden_labels(labels: Tensor, attention_mask: Tensor | None) -> Tensor:
    """`labels` (batch, sequence) with -100 where a mask (batch, keys), which ends with them, is 0."""
    if attention_mask is None or attention_mask.dim() != 2:
        return labels
    return labels.masked_fill(attention_mask[:, -labels.shape[1] :] == 0, -100)


def find_placeholders(input_ids: Tensor | None, embedded: Tensor, token: int, table: nn.Module) -> Tensor:
    """(batch, sequence) bool: where `token` stands; told from its embedding where there are no ids."""
    if input_ids is not None:
        return input_ids == token
    return (embedded == table(torch.tensor(token, device=embedded.device))).all(-1)


class ImageTextModel(PreTrainedModel):
    """A vision tower, a projector and a language model without its head."""

    hub_names: dict[str, str] = {"language_model": "language_model.model"}
    #: newer files have one level more around all parts, and the head outside
    aliases = {"^model.language_model": "language_model.model", "^lm_head": "language_model.lm_head"}
    #: whether the returned `image_hidden_states` are (features of all images, hidden)
    flat_image_states = False
    #: whether there must be as many placeholders as features; else the first features fill fewer places
    exact_places = True
    output_class: ClassVar[type[ImageTextModelOutput]] = ImageTextModelOutput

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.vision_tower = self.make_tower(config)
        self.multi_modal_projector = self.make_projector(config)
        self.language_model = build_part(config.text_config)
        self.post_init()

    def make_tower(self, config: PretrainedConfig) -> nn.Module:
        """From images to image features."""
        return build_part(config.vision_config)

    def make_projector(self, config: PretrainedConfig) -> nn.Module:
        """From image features to embeddings."""
        raise NotImplementedError

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """Projected features (images, features, hidden) of images (images, channels, height, width)."""
        raise NotImplementedError

    def get_decoder(self) -> nn.Module:
        return self.language_model

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Take what `get_image_features` needs besides the pixels out of `inputs`."""
        return {}

    def place_further(
        self, embedded: Tensor, input_ids: Tensor | None, inputs: dict[str, Any], options: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        """Place other media than images, taken out of `inputs`, and tell what the output says of them.

        `options` are those of the images.
        """
        return embedded, {}

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        features: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """Text (batch, sequence) with placeholders, and their images, to states (batch, sequence, hidden).

        `features` are what `get_image_features` gave, where they are known already; `labels` are the head's
        and change nothing here.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if inputs_embeds is None:
            assert input_ids is not None
            inputs_embeds = self.embed_text(input_ids)
        options = self.image_options(inputs)
        given = features is not None
        if pixel_values is not None:
            features = self.get_image_features(pixel_values, **options)
        if features is not None:
            flat = self.as_embeddings(features)
            places = self.places(input_ids, inputs_embeds)
            inputs_embeds = place_features(inputs_embeds, places, flat, exact=self.exact_places)
            features = flat if self.flat_image_states and not given else features
        inputs_embeds, further = self.place_further(inputs_embeds, input_ids, inputs, options)
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            **inputs,
        )
        return self.output_class.carry(outputs, image_hidden_states=features, **further)

    def as_embeddings(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        """What stands in the text for `features`: (features of all images, hidden)."""
        return flattened(features)

    def media_tokens(self) -> Sequence[int]:
        """The placeholders."""
        return (self.config.image_token_id,)

    def embed_text(self, input_ids: Tensor) -> Tensor:
        """Embeddings of ids, among which placeholders may lie beyond the vocabulary."""
        table: Any = self.get_input_embeddings()
        for token in self.media_tokens():
            if token >= table.num_embeddings:
                input_ids = input_ids.masked_fill(input_ids == token, 0)
        embedded: Tensor = table(input_ids)
        return embedded

    def places(self, input_ids: Tensor | None, embedded: Tensor) -> Tensor:
        """(batch, sequence) bool: where the placeholders are."""
        return find_placeholders(input_ids, embedded, self.config.image_token_id, self.get_input_embeddings())


class ImageTextForConditionalGeneration(GenerationMixin, Headed):
    """Such a model with the language model's head."""

    head_names = {"lm_head": "language_model.lm_head"}
    base_name = ""
    #: whether the base model takes `labels` too, because they change what may be seen
    base_reads_labels = False
    #: whether tokens that the attention mask hides make no loss
    mask_hides_labels: ClassVar[bool] = False
    output_class: ClassVar[type[ModelOutput]] = ImageTextCausalLMOutput

    def build_head(self, config: PretrainedConfig) -> None:
        text = config.get_text_config()
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)

    def ties(self) -> dict[str, str]:
        if not self.config.get_text_config().tie_word_embeddings:
            return {}
        table = self.get_input_embeddings()
        name = next(name for name, part in self.named_modules() if part is table)
        return {"lm_head.weight": f"{name}.weight"}

    @property
    def vision_tower(self) -> Any:
        """The base model's."""
        return self.model.vision_tower

    @property
    def multi_modal_projector(self) -> Any:
        """The base model's."""
        return self.model.multi_modal_projector

    @property
    def language_model(self) -> Any:
        """The base model's."""
        return self.model.language_model

    def get_decoder(self) -> nn.Module:
        return self.language_model

    def score(self, hidden: Tensor) -> Tensor:
        """Logits of hidden states."""
        return self.lm_head(hidden)

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """Projected features of images, see the base model."""
        model: Any = self.model
        features: Tensor = model.get_image_features(pixel_values, **options)
        return features

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> Any:
        """Text (batch, sequence) with placeholders, and their images, to scores of the next token.

        `labels` (batch, sequence), of which -100 does not count, make the loss; `logits_to_keep` scores the
        last positions only (0: all).
        """
        outputs = self.model(
            input_ids,
            pixel_values=pixel_values,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            **({"labels": labels} if self.base_reads_labels else {}),
            **inputs,
        )
        hidden = outputs.last_hidden_state
        logits = self.score(hidden[:, -logits_to_keep:] if logits_to_keep else hidden)
        loss = None
        if labels is not None:
            hiding = attention_mask if self.mask_hides_labels else None
            loss = causal_lm_loss(logits, hidden_labels(labels, hiding))
        return self.output_class.carry(outputs, loss=loss, logits=logits)

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times, with the features of all its images."""
        model: Any = self.model
        inputs, repeated = dict(inputs), {}
        pixels = inputs.pop("pixel_values", None)
        if pixels is not None and input_ids.shape[1]:
            options = model.image_options(inputs)
            features = model.get_image_features(pixels, **options)
            repeated["features"] = repeated_rows(
                features, model.places(input_ids, flattened(features)), times
            )
        return {**super().repeat_inputs(inputs, times, input_ids=input_ids), **repeated}


class NamedAsBuiltForConditionalGeneration(ImageTextForConditionalGeneration):
    """Such a model whose files name its parts as it does: the head beside the base model."""

    head_names: ClassVar[dict[str, str]] = {}
    base_name: ClassVar[str | None] = None
