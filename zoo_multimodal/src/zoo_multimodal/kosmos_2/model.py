"""KOSMOS-2: images of a CLIP, resampled to a few features each, in the text of a decoder."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.generation import GenerationMixin
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS, wants
from zoo_multimodal.clip.model import CLIPVisionModel
from zoo_multimodal.kosmos_2.config import Kosmos2Config, Kosmos2TextConfig, Kosmos2VisionConfig
from zoo_multimodal.kosmos_2.text import KosmosAttention, KosmosDecoder


class Kosmos2PreTrainedModel(PreTrainedModel):
    """What all KOSMOS-2 classes share."""

    config_class = Kosmos2Config
    ignored_names = ("*embed_positions.weights", "*position_ids")


class Kosmos2ModelOutput(ModelOutput):
    """States of the text; `image_embeds` (images, features, hidden) are what stands for images in it."""

    last_hidden_state: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    image_embeds: Tensor | None = None
    projection_attentions: Tensor | None = None
    vision_model_output: ModelOutput | None = None


class Kosmos2ForConditionalGenerationModelOutput(ModelOutput):
    """The same with scores of the next token."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    image_embeds: Tensor | None = None
    projection_attentions: Tensor | None = None
    vision_model_output: ModelOutput | None = None


class Kosmos2TextModel(Kosmos2PreTrainedModel, KosmosDecoder):
    """The decoder without its head."""

    config_class = Kosmos2TextConfig


class Kosmos2VisionModel(CLIPVisionModel):
    """The image tower."""

    config_class = Kosmos2VisionConfig
    hub_names = {
        inner: outer.replace("vision_model.", "model.", 1)
        for inner, outer in CLIPVisionModel.hub_names.items()
    }


class ImageToText(nn.Module):
    """Latent queries attend to an image's features and to each other."""

    hub_names = {"x_attn.o_proj": "x_attn.out_proj"}

    def __init__(self, config: Any, *, few: bool = False) -> None:
        super().__init__()
        self.few = few
        text = config.text_config
        self.dense = nn.Linear(config.vision_config.hidden_size, text.embed_dim)
        self.latent_query = nn.Parameter(torch.randn(config.latent_query_num, text.embed_dim))
        self.x_attn = KosmosAttention(text, inner_norm=False, cross=True)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """(images, patches, width) to (images, queries, hidden), and the weights where they are collected."""
        latent = self.latent_query.expand(len(features), -1, -1)
        seen = torch.cat((self.dense(features), latent), dim=1)
        context = AttentionContext(latent, encoder_states=seen)
        query, key, value, mask = self.x_attn.inputs(latent, context, None)
        if self.few and self.x_attn.implementation != "eager" and not wants(ATTENTIONS):
            # as recorded of KOSMOS-2 with sdpa: query i sees features 0 to i; eager attention sees all
            shape = query.shape[2], key.shape[2]
            mask = Mask(torch.ones(shape, dtype=torch.bool, device=query.device).tril())
        attended, weights = self.x_attn.weigh(query, key, value, mask)
        return self.x_attn.merge(attended), weights


class KosmosModel(PreTrainedModel):
    """Image tower, projection and decoder of the KOSMOS models; a family says what they are."""

    hub_names = {"text_model": "text_model.model"}
    text_class: ClassVar[type[KosmosDecoder]]
    vision_class: ClassVar[type[PreTrainedModel]]
    few_features: ClassVar[bool] = False

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.text_model = self.text_class(config.text_config)
        self.vision_model = self.vision_class(config.vision_config)
        self.image_to_text_projection = ImageToText(config, few=self.few_features)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_model.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_model.set_input_embeddings(value)

    def image_states(self, outputs: ModelOutput) -> Tensor:
        """What is projected of the tower's output, before it is normalised."""
        return outputs.last_hidden_state

    def look(self, pixels: Tensor, **options: Any) -> tuple[Tensor, Tensor | None, ModelOutput]:
        """Features of images for the text, their projection's weights, and the tower's output."""
        outputs = self.vision_model(pixels, **options)
        features, weights = self.image_to_text_projection(F.normalize(self.image_states(outputs), dim=-1))
        return features, weights, outputs

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """Images to features (images, latent queries, hidden)."""
        return self.look(pixel_values, **options)[0]

    def read(
        self,
        pixels: Tensor | None,
        input_ids: Tensor | None,
        places: Tensor | None,
        *,
        image_embeds: Tensor | None,
        options: dict[str, Any],
        **inputs: Any,
    ) -> Kosmos2ModelOutput:
        """The text with its images, given as pixels or as features."""
        weights, looked = None, None
        if image_embeds is None and pixels is not None:
            image_embeds, weights, looked = self.look(pixels, **options)
        outputs = self.text_model(input_ids, image_embeds=image_embeds, image_places=places, **inputs)
        return Kosmos2ModelOutput.carry(
            outputs, image_embeds=image_embeds, projection_attentions=weights, vision_model_output=looked
        )


class Kosmos2Model(Kosmos2PreTrainedModel, KosmosModel):
    """The model without its head."""

    main_input_name = "pixel_values"
    text_class = Kosmos2TextModel
    vision_class = Kosmos2VisionModel
    few_features = True

    def image_states(self, outputs: ModelOutput) -> Tensor:
        tower: Any = self.vision_model
        return tower.post_norm(outputs.last_hidden_state)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        input_ids: Tensor | None = None,
        image_embeds_position_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        image_embeds: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        **inputs: Any,
    ) -> Kosmos2ModelOutput:
        """Images (images, channels, height, width) in texts (batch, sequence) to states.

        `image_embeds_position_mask` (batch, sequence) is 1 where features of images stand.
        """
        return self.read(
            pixel_values,
            input_ids,
            image_embeds_position_mask,
            image_embeds=image_embeds,
            options={"interpolate_pos_encoding": interpolate_pos_encoding},
            attention_mask=attention_mask,
            **inputs,
        )


class KosmosForConditionalGeneration(GenerationMixin, Headed):
    """A KOSMOS model with scores of the next token."""

    base_name = ""
    head_names = {"lm_head": "text_model.lm_head"}
    main_input_name = "input_ids"
    counted_tokens = "known"

    def build_head(self, config: Any) -> None:
        self.lm_head = Linear(config.text_config.embed_dim, config.text_config.vocab_size, bias=False)

    def ties(self) -> dict[str, str]:
        tied = self.config.get_text_config().tie_word_embeddings
        return {"lm_head.weight": "model.text_model.embed_tokens.weight"} if tied else {}

    def score_all(self, outputs: ModelOutput, labels: Tensor | None, keep: int) -> ModelOutput:
        """The head's output from the base model's."""
        hidden = outputs.last_hidden_state
        logits = self.lm_head(hidden[:, -keep:] if keep else hidden)
        loss = None if labels is None else causal_lm_loss(logits, labels)
        return Kosmos2ForConditionalGenerationModelOutput.carry(outputs, loss=loss, logits=logits)

    def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
        """Marks of images cover the prompt; what was written after it holds none."""
        places = inputs.get("image_embeds_position_mask")
        if places is not None:
            missing = input_ids.shape[1] - places.shape[1]
            inputs["image_embeds_position_mask"] = F.pad(places, (0, max(missing, 0)))
        return super().prepare_inputs_for_generation(input_ids, **inputs)


class Kosmos2ForConditionalGeneration(KosmosForConditionalGeneration, Kosmos2PreTrainedModel):
    """KOSMOS-2 with a language modeling head."""

    base_class = Kosmos2Model

    def forward(
        self,
        pixel_values: Tensor | None = None,
        input_ids: Tensor | None = None,
        image_embeds_position_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> ModelOutput:
        """As the base model's; `labels` (batch, sequence), of which -100 does not count, make the loss."""
        outputs = self.model(pixel_values, input_ids, image_embeds_position_mask, attention_mask, **inputs)
        return self.score_all(outputs, labels, logits_to_keep)
