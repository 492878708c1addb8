"""BLIP-2 before its second stage: images and texts in one space, and whether they match."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.outputs import (
    BaseModelOutputWithPooling,
    BaseModelOutputWithPoolingAndCrossAttentions,
    ModelOutput,
)
from zoo_core.nn.embeddings import LearnedPositions
from zoo_multimodal.blip_2.config import Blip2Config
from zoo_multimodal.blip_2.model import Blip2PreTrainedModel
from zoo_multimodal.blip_2.qformer import Blip2QFormerModel
from zoo_multimodal.blip_2.vision import Blip2VisionModel
from zoo_multimodal.clip.model import CLIPTextModelOutput, CLIPVisionModelOutput


class Blip2TextModelOutput(CLIPTextModelOutput):
    """States of the texts and their projection `text_embeds` (batch, sequence, image_text_hidden_size)."""


class Blip2VisionModelOutput(CLIPVisionModelOutput):
    """States of the images and their projection `image_embeds` (batch, queries, image_text_hidden_size)."""


class Blip2ImageTextMatchingModelOutput(ModelOutput):
    """Similarities or matching scores, what was compared, and both parts' outputs."""

    loss: Tensor | None = None
    logits_per_image: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    image_embeds: Tensor
    text_model_output: BaseModelOutputWithPoolingAndCrossAttentions
    vision_model_output: BaseModelOutputWithPooling


class Blip2TextEmbeddings(nn.Module):
    """Tokens and positions, behind queries if there are any; the norm is the Q-Former's."""

    def __init__(self, config: Blip2Config) -> None:
        super().__init__()
        part = config.qformer_config
        self.word_embeddings = nn.Embedding(part.vocab_size, part.hidden_size, padding_idx=part.pad_token_id)
        self.position_embeddings = LearnedPositions(part.max_position_embeddings, part.hidden_size)

    def forward(
        self,
        input_ids: Tensor | None,
        position_ids: Tensor | None = None,
        *,
        query_embeds: Tensor | None = None,
    ) -> Tensor:
        """(batch, sequence) to (batch, queries + sequence, hidden)."""
        if input_ids is None:
            raise ValueError("pass input_ids")
        hidden = self.word_embeddings(input_ids)
        hidden = hidden + self.position_embeddings(position_ids, 0, hidden)
        return hidden if query_embeds is None else torch.cat((query_embeds, hidden), dim=1)


class Blip2Comparing(Blip2PreTrainedModel):
    """What the classes below share: the Q-Former, and those of the other parts that they name."""

    def build(self, config: Blip2Config, *, image: bool, text: bool) -> None:
        """Create the parts."""
        width = config.qformer_config.hidden_size
        self.query_tokens = nn.Parameter(torch.empty(1, config.num_query_tokens, width))
        if image:
            self.vision_model = Blip2VisionModel(config.vision_config)
            self.vision_projection = nn.Linear(width, config.image_text_hidden_size)
        if text:
            self.embeddings = Blip2TextEmbeddings(config)
            self.text_projection = nn.Linear(width, config.image_text_hidden_size)
        self.qformer = Blip2QFormerModel(config.qformer_config)

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.zeros_(self.query_tokens)

    def get_input_embeddings(self) -> nn.Module:
        if hasattr(self, "embeddings"):
            return self.embeddings.word_embeddings
        return self.vision_model.get_input_embeddings()

    def queries(self, batch: int) -> Tensor:
        """(batch, queries, width)."""
        return self.query_tokens.expand(batch, -1, -1)


class Blip2TextModelWithProjection(Blip2Comparing):
    """Texts in the space that images share."""

    main_input_name = "input_ids"

    def __init__(self, config: Blip2Config) -> None:
        super().__init__(config)
        self.build(config, image=False, text=True)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Blip2TextModelOutput:
        """ids (batch, sequence) to embeddings (batch, sequence, image_text_hidden_size), not normalised."""
        outputs = self.qformer(
            self.embeddings(input_ids, position_ids), query_length=0, attention_mask=attention_mask
        )
        embeds = self.text_projection(
            outputs.last_hidden_state.to(self.embeddings.word_embeddings.weight.dtype)
        )
        return Blip2TextModelOutput.carry(outputs, text_embeds=embeds)


class Blip2VisionModelWithProjection(Blip2Comparing):
    """Images in the space that texts share, one vector a query."""

    def __init__(self, config: Blip2Config) -> None:
        super().__init__(config)
        self.build(config, image=True, text=False)
        self.post_init()

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = False
    ) -> Blip2VisionModelOutput:
        """(batch, channels, height, width) to embeddings (batch, queries, image_text_hidden_size)."""
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        states = vision.last_hidden_state
        asked = self.qformer(self.queries(len(states)), encoder_hidden_states=states)
        embeds = self.vision_projection(asked.last_hidden_state.to(states.dtype))
        return Blip2VisionModelOutput.carry(vision, image_embeds=embeds)


class Blip2ForImageTextRetrieval(Blip2Comparing):
    """Similarities of images and texts, or whether image i and text i match."""

    def __init__(self, config: Blip2Config) -> None:
        super().__init__(config)
        self.build(config, image=True, text=True)
        self.itm_head = nn.Linear(config.qformer_config.hidden_size, 2)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        use_image_text_matching_head: bool = False,
    ) -> Blip2ImageTextMatchingModelOutput:
        """Images (images, channels, height, width) and texts (texts, sequence) to logits.

        By default (images, texts), cosine similarities with the query that fits best. With
        `use_image_text_matching_head`, (batch, 2): image i and text i do not match, or do.
        """
        vision = self.vision_model(pixel_values)
        states = vision.last_hidden_state
        queries = self.queries(len(states))
        if self.config.image_token_index is not None:  # texts begin with a placeholder for each query
            input_ids = input_ids[:, queries.shape[1] :]
            attention_mask = None if attention_mask is None else attention_mask[:, queries.shape[1] :]
        if use_image_text_matching_head:
            text_embeds, image_embeds = queries, states
            mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
            seen = torch.ones(queries.shape[:2], dtype=mask.dtype, device=mask.device)
            text = self.qformer(
                self.embeddings(input_ids, query_embeds=queries),
                query_length=queries.shape[1],
                attention_mask=torch.cat((seen, mask), dim=1),
                encoder_hidden_states=states,
            )
            per_image = self.itm_head(text.last_hidden_state[:, : queries.shape[1]].to(states.dtype)).mean(1)
        else:
            asked = self.qformer(queries, encoder_hidden_states=states)
            image_embeds = F.normalize(
                self.vision_projection(asked.last_hidden_state.to(states.dtype)), dim=-1
            )
            text = self.qformer(self.embeddings(input_ids), query_length=0, attention_mask=attention_mask)
            text_embeds = F.normalize(
                self.text_projection(text.last_hidden_state[:, 0].to(states.dtype)), dim=-1
            )
            per_image = (image_embeds @ text_embeds.t()).amax(1)
        return Blip2ImageTextMatchingModelOutput(
            logits_per_image=per_image,
            logits_per_text=per_image.t(),
            text_embeds=text_embeds,
            image_embeds=image_embeds,
            text_model_output=text,
            vision_model_output=vision,
        )
