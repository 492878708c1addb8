"""BLIP: one image encoder, and a text part that compares, matches, captions or answers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_multimodal.blip.config import BlipConfig, BlipVisionConfig
from zoo_multimodal.blip.text import BlipTextLMHeadModel, BlipTextModel
from zoo_multimodal.blip_2.vision import BlipVisionTower
from zoo_multimodal.clip.model import CLIPOutput, contrastive_loss


class BlipPreTrainedModel(PreTrainedModel):
    """What all BLIP classes share."""

    config_class = BlipConfig
    base_model_prefix = "blip"


class BlipVisionModel(BlipVisionTower):
    """The image encoder of BLIP."""

    config_class = BlipVisionConfig
    base_model_prefix = "blip"


class BlipForConditionalGenerationModelOutput(ModelOutput):
    """Scores of the next token, and the image encoder's states, which are `image_embeds` as well."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    image_embeds: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BlipTextVisionModelOutput(ModelOutput):
    """The loss of an answer, and the image encoder's states, which are `image_embeds` as well."""

    loss: Tensor | None = None
    image_embeds: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BlipImageTextMatchingModelOutput(ModelOutput):
    """`itm_score` (batch, 2), or (images, texts) cosine similarities, and the states behind it."""

    itm_score: Tensor | None = None
    loss: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    vision_pooler_output: Tensor | None = None
    attentions: tuple[Tensor, ...] | None = None
    question_embeds: Tensor | None = None


class BlipModel(BlipPreTrainedModel):
    """Image and text in one space, with a learned temperature."""

    def __init__(self, config: BlipConfig) -> None:
        super().__init__(config)
        text, vision = config.text_config, config.vision_config
        self.text_model = BlipTextModel(text)
        self.vision_model = BlipVisionModel(vision)
        self.visual_projection = nn.Linear(vision.hidden_size, config.projection_dim, bias=False)
        self.text_projection = nn.Linear(text.hidden_size, config.projection_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))
        self.post_init()

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Projected texts (batch, projection), not normalised."""
        return self.text_projection(self.text_model(input_ids, **inputs).pooler_output)

    def get_image_features(self, pixel_values: Tensor | None = None, **inputs: bool) -> Tensor:
        """Projected images (batch, projection), not normalised."""
        return self.visual_projection(self.vision_model(pixel_values, **inputs).pooler_output)

    def get_multimodal_features(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        interpolate_pos_encoding: bool = False,
    ) -> Tensor:
        """Projected texts (batch, projection) that have read their image, not normalised."""
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        text = self.text_model(input_ids, attention_mask, encoder_hidden_states=vision.last_hidden_state)
        return self.text_projection(text.pooler_output)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> CLIPOutput:
        """Texts (texts, sequence) and images (images, channels, height, width) to their similarities.

        `return_loss` takes pair i to be text i and image i.
        """
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        text = self.text_model(input_ids, attention_mask, position_ids)
        return CLIPOutput.matching(
            texts=self.text_projection(text.pooler_output),
            images=self.visual_projection(vision.pooler_output),
            scale=self.logit_scale.exp(),
            loss=contrastive_loss if return_loss else None,
            text_model_output=text,
            vision_model_output=vision,
        )


class BlipForConditionalGeneration(BlipPreTrainedModel):
    """BLIP that writes about an image, from the start or on from a given text."""

    main_input_name = "pixel_values"

    def __init__(self, config: BlipConfig) -> None:
        super().__init__(config)
        self.vision_model = BlipVisionModel(config.vision_config)
        self.text_decoder = BlipTextLMHeadModel(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_decoder.get_input_embeddings()

    def forward(
        self,
        pixel_values: Tensor,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> BlipForConditionalGenerationModelOutput:
        """Images (batch, channels, height, width) and texts (batch, sequence) to next-token scores."""
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        states = vision.last_hidden_state
        written = self.text_decoder(
            input_ids, attention_mask=attention_mask, encoder_hidden_states=states, labels=labels
        )
        return BlipForConditionalGenerationModelOutput.carry(
            vision, loss=written.loss, logits=written.logits, image_embeds=states
        )

    @torch.no_grad()
    def generate(
        self,
        pixel_values: Tensor,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        **generate_kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Token ids (batch, length): start of a caption, if any, and its continuation.

        Args:
            pixel_values: (batch, channels, height, width).
            input_ids: (batch, sequence), encoded with special tokens: the first becomes the start token,
                the last, which ends the text, is left out.
        """
        text = self.config.text_config
        states = self.vision_model(
            pixel_values, interpolate_pos_encoding=interpolate_pos_encoding
        ).last_hidden_state
        if input_ids is None:
            input_ids = torch.full((len(states), 2), text.bos_token_id, device=states.device)
        elif not isinstance(input_ids, Tensor):
            input_ids = torch.tensor(input_ids, device=states.device)
        start = torch.full_like(input_ids[:, :1], text.bos_token_id)
        if attention_mask is not None:
            generate_kwargs["attention_mask"] = attention_mask[:, :-1]
        return self.text_decoder.generate(
            input_ids=torch.cat((start, input_ids[:, 1:-1]), dim=1),
            eos_token_id=text.sep_token_id,
            pad_token_id=text.pad_token_id,
            encoder_hidden_states=states,
            **generate_kwargs,
        )


class BlipForQuestionAnswering(BlipPreTrainedModel):
    """BLIP that answers questions about an image: one text part reads, another writes."""

    def __init__(self, config: BlipConfig) -> None:
        super().__init__(config)
        self.vision_model = BlipVisionModel(config.vision_config)
        self.text_encoder = BlipTextModel(config.text_config, add_pooling_layer=False)
        self.text_decoder = BlipTextLMHeadModel(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_encoder.get_input_embeddings()

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        interpolate_pos_encoding: bool = False,
    ) -> BlipTextVisionModelOutput:
        """Questions (batch, sequence) about images (batch, channels, height, width), and their answers.

        `labels` (batch, target) are the answers; `decoder_input_ids` default to them.
        """
        if labels is None and decoder_input_ids is None:
            raise ValueError("pass labels or decoder_input_ids, or call generate")
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        states = vision.last_hidden_state
        question = self.text_encoder(input_ids, attention_mask, encoder_hidden_states=states)
        answer = self.text_decoder(
            labels if decoder_input_ids is None else decoder_input_ids,
            attention_mask=decoder_attention_mask,
            encoder_hidden_states=question.last_hidden_state,
            labels=labels,
        )
        return BlipTextVisionModelOutput.carry(vision, loss=answer.loss, image_embeds=states)

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        pixel_values: Tensor,
        attention_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        **generate_kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Token ids (batch, length) of the answers to questions (batch, sequence)."""
        text = self.config.text_config
        states = self.vision_model(
            pixel_values, interpolate_pos_encoding=interpolate_pos_encoding
        ).last_hidden_state
        question = self.text_encoder(input_ids, attention_mask, encoder_hidden_states=states)
        start = torch.full((len(states), 1), text.bos_token_id, device=states.device)
        if attention_mask is not None:
            generate_kwargs["encoder_attention_mask"] = attention_mask
        return self.text_decoder.generate(
            input_ids=start,
            eos_token_id=text.sep_token_id,
            pad_token_id=text.pad_token_id,
            encoder_hidden_states=question.last_hidden_state,
            **generate_kwargs,
        )


class BlipForImageTextRetrieval(BlipPreTrainedModel):
    """Whether image i and text i match, or how similar each image is to each text."""

    def __init__(self, config: BlipConfig) -> None:
        super().__init__(config)
        text, vision = config.text_config, config.vision_config
        self.vision_model = BlipVisionModel(vision)
        self.text_encoder = BlipTextModel(text, add_pooling_layer=False)
        self.vision_proj = nn.Linear(vision.hidden_size, config.image_text_hidden_size)
        self.text_proj = nn.Linear(text.hidden_size, config.image_text_hidden_size)
        self.itm_head = nn.Linear(text.hidden_size, 2)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_encoder.get_input_embeddings()

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor,
        use_itm_head: bool = True,
        attention_mask: Tensor | None = None,
        *,
        interpolate_pos_encoding: bool = False,
    ) -> BlipImageTextMatchingModelOutput:
        """Texts (batch, sequence) and images (batch, channels, height, width) to scores.

        With `use_itm_head` (batch, 2), no match and match; without it (images, texts) similarities.
        """
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        states = vision.last_hidden_state
        seen = {"encoder_hidden_states": states} if use_itm_head else {}
        question = self.text_encoder(input_ids, attention_mask, **seen).last_hidden_state
        if use_itm_head:
            score = self.itm_head(question[:, 0])
        else:
            images = F.normalize(self.vision_proj(states[:, 0]), dim=-1)
            score = images @ F.normalize(self.text_proj(question[:, 0]), dim=-1).t()
        return BlipImageTextMatchingModelOutput.carry(vision, itm_score=score, question_embeds=question)
