"""InstructBLIP: BLIP-2 whose queries read the instruction before they look at the image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from zoo_core.nn.embeddings import LearnedPositions
from zoo_multimodal.blip_2.qformer import QFormer
from zoo_multimodal.blip_2.querying import (
    QueryingForConditionalGeneration,
    QueryingModel,
    QueryingModelOutput,
)
from zoo_multimodal.blip_2.vision import BlipVisionTower
from zoo_multimodal.instructblip.config import (
    InstructBlipConfig,
    InstructBlipQFormerConfig,
    InstructBlipVisionConfig,
)


class InstructBlipVisionModel(BlipVisionTower):
    """The image encoder of InstructBLIP."""

    config_class = InstructBlipVisionConfig
    base_model_prefix = "blip"


class InstructBlipQFormerModel(QFormer):
    """The querying transformer of InstructBLIP: queries, and behind them the instruction."""

    config_class = InstructBlipQFormerConfig
    base_model_prefix = "qformer"
    main_input_name = "input_ids"
    hub_names = {
        "layers": "encoder.layer",
        "word_embeddings": "embeddings.word_embeddings",
        "position_embeddings": "embeddings.position_embeddings",
        "layernorm": "embeddings.layernorm",
    }

    def __init__(self, config: InstructBlipQFormerConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.position_embeddings = LearnedPositions(config.max_position_embeddings, size)
        self.make_layers(config, text=True)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        query_embeds: Tensor | None = None,
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Queries (batch, queries, hidden) and ids (batch, sequence) to states of both, queries first.

        `attention_mask` (batch, queries + sequence) covers both.
        """
        parts = [] if query_embeds is None else [query_embeds]
        if input_ids is not None:
            words = self.word_embeddings(input_ids)
            parts.append(words + self.position_embeddings(position_ids, 0, words))
        if not parts:
            raise ValueError("pass query_embeds, input_ids or both")
        return self.run(
            torch.cat(parts, dim=1),
            attention_mask,
            encoder_hidden_states,
            encoder_attention_mask,
            queries=0 if query_embeds is None else query_embeds.shape[1],
            head_mask=head_mask,
        )


class InstructBlipPreTrainedModel(PreTrainedModel):
    """What all InstructBLIP classes share."""

    config_class = InstructBlipConfig
    base_model_prefix = "blip"
    main_input_name = "pixel_values"
    keep_in_float32 = ("query_tokens",)


class InstructBlipForConditionalGenerationModelOutput(QueryingModelOutput):
    """Scores of the next token, and the outputs of all three parts."""


class InstructBlipModel(InstructBlipPreTrainedModel, QueryingModel):
    """The three parts in one call; the language model has no head."""

    vision_class = InstructBlipVisionModel
    qformer_class = InstructBlipQFormerModel
    headed = False

    def ask(self, states: Tensor, **text: Tensor | None) -> BaseModelOutputWithPoolingAndCrossAttentions:
        ids, mask = text.get("qformer_input_ids"), text.get("qformer_attention_mask")
        queries = self.query_tokens.expand(len(states), -1, -1)
        if ids is not None and mask is not None:
            seen = torch.ones(queries.shape[:2], dtype=mask.dtype, device=mask.device)
            mask = torch.cat((seen, mask), dim=1)
        outputs: BaseModelOutputWithPoolingAndCrossAttentions = self.qformer(
            ids, attention_mask=mask, query_embeds=queries, encoder_hidden_states=states
        )
        return outputs

    def forward(
        self,
        pixel_values: Tensor,
        qformer_input_ids: Tensor | None = None,
        qformer_attention_mask: Tensor | None = None,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        use_cache: bool | None = None,
    ) -> InstructBlipForConditionalGenerationModelOutput:
        """Images (batch, channels, height, width) and texts (batch, sequence) with a placeholder a query.

        `qformer_input_ids` (batch, instruction) are the instruction in the querying transformer's tokens;
        `decoder_input_ids` and their mask (batch, target) are for encoder-decoder language models.
        """
        features, vision, asked = self.see(
            pixel_values,
            interpolate_pos_encoding=interpolate_pos_encoding,
            qformer_input_ids=qformer_input_ids,
            qformer_attention_mask=qformer_attention_mask,
        )
        embedded = self.embed(input_ids, inputs_embeds, features)
        inputs: dict[str, Any] = {}
        if not self.config.use_decoder_only_language_model:
            inputs = {
                "decoder_input_ids": decoder_input_ids,
                "decoder_attention_mask": decoder_attention_mask,
            }
        loss, outputs = self.read(embedded, attention_mask, labels, use_cache=use_cache, **inputs)
        return InstructBlipForConditionalGenerationModelOutput(
            loss=loss,
            logits=outputs.get("logits"),
            vision_outputs=vision,
            qformer_outputs=asked,
            language_model_outputs=outputs,
        )


class InstructBlipForConditionalGeneration(QueryingForConditionalGeneration, InstructBlipModel):
    """InstructBLIP that writes text."""

    headed = True

    def named(self, text: tuple[Tensor | None, ...]) -> dict[str, Tensor | None]:
        return dict(zip(("qformer_input_ids", "qformer_attention_mask"), text, strict=False))

    def qformer_text(self, text: dict[str, Any]) -> dict[str, Tensor | None]:
        return text
