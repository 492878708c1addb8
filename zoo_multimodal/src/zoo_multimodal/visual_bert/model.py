"""VisualBERT: regions of an image, as features of a detector, stand behind the tokens of a BERT."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LM_HEAD
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed, classifier_dropout
from zoo_core.heads.language import LMTransform
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput, SequenceClassifierOutput
from zoo_core.nn.embeddings import TextEmbeddings, embed
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.visual_bert.config import VisualBertConfig
from zoo_text.bert.model import BertLayer, Pooler


class VisualBertPreTrainedModel(PreTrainedModel):
    """What all VisualBERT classes share."""

    config_class = VisualBertConfig
    base_model_prefix = "visual_bert"
    ignored_names = ("*position_ids",)


class VisualBertEmbeddings(TextEmbeddings):
    """BERT's embeddings, and regions behind them with tables of their own; one norm for both."""

    position_embeddings: nn.Embedding
    token_type_embeddings: nn.Embedding

    def __init__(self, config: VisualBertConfig) -> None:
        size = config.hidden_size
        super().__init__(
            config.vocab_size,
            size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.visual_token_type_embeddings = nn.Embedding(config.type_vocab_size, size)
        self.visual_position_embeddings = nn.Embedding(config.max_position_embeddings, size)
        self.visual_projection = nn.Linear(config.visual_embedding_dim, size)

    def join(
        self,
        input_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        visual_embeds: Tensor | None,
        visual_token_type_ids: Tensor | None,
        alignment: Tensor | None,
    ) -> Tensor:
        """(batch, tokens + regions, hidden); the arguments are those of the model."""
        hidden = embed(self.word_embeddings, input_ids, inputs_embeds)
        batch, length = hidden.shape[:2]
        if token_type_ids is None:
            token_type_ids = torch.zeros(batch, length, dtype=torch.int64, device=hidden.device)
        if position_ids is None:
            position_ids = torch.arange(length, device=hidden.device)
        hidden = hidden + self.token_type_embeddings(token_type_ids) + self.position_embeddings(position_ids)
        if visual_embeds is not None:
            if len(visual_embeds) != batch:
                raise ValueError(f"{batch} texts came with regions of {len(visual_embeds)} images")
            if visual_token_type_ids is None:
                visual_token_type_ids = torch.ones_like(visual_embeds[..., 0], dtype=torch.int64)
            regions = self.visual_projection(visual_embeds) + self.visual_position_embeddings.weight[0]
            regions = regions + self.visual_token_type_embeddings(visual_token_type_ids)
            if alignment is not None:
                regions = regions + self.aligned(alignment)
            hidden = torch.cat((hidden, regions), dim=1)
        return self.dropout(self.layer_norm(hidden))

    def aligned(self, alignment: Tensor) -> Tensor:
        """The mean position embedding (batch, regions, hidden) of each region's tokens; -1 is none."""
        known = (alignment != -1).to(self.position_embeddings.weight.dtype)
        summed = (self.position_embeddings(alignment.clamp(min=0)) * known[..., None]).sum(2)
        return summed / known.sum(2).clamp(min=1)[..., None]


class VisualBertModel(VisualBertPreTrainedModel):
    """Embeddings, layers, and unless switched off the pooler."""

    hub_names = BERT

    def __init__(self, config: VisualBertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = VisualBertEmbeddings(config)
        self.layers = nn.ModuleList(BertLayer(config, i) for i in range(config.num_hidden_layers))
        self.additional_layer = BertLayer(config, 0) if config.bypass_transformer else None
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self and self.config.special_visual_initialize:
            tables = self.embeddings
            pairs = (
                (tables.visual_token_type_embeddings, tables.token_type_embeddings),
                (tables.visual_position_embeddings, tables.position_embeddings),
            )
            with torch.no_grad():
                for visual, textual in pairs:
                    visual.weight.copy_(textual.weight)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        visual_embeds: Tensor | None = None,
        visual_attention_mask: Tensor | None = None,
        visual_token_type_ids: Tensor | None = None,
        image_text_alignment: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """Text (batch, tokens) and regions to states (batch, tokens + regions, hidden), and pooled.

        Args:
            visual_embeds: (batch, regions, visual_embedding_dim), with a mask and token types of (batch,
                regions), which are ones by default.
            image_text_alignment: (batch, regions, n) positions of the tokens that name a region; -1 pads.
        """
        hidden = self.embeddings.join(
            input_ids,
            inputs_embeds,
            token_type_ids,
            position_ids,
            visual_embeds,
            visual_token_type_ids,
            image_text_alignment,
        )
        length = hidden.shape[1] - (0 if visual_embeds is None else visual_embeds.shape[1])
        seen = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
        if attention_mask is not None:
            seen[:, :length] = attention_mask != 0
        if visual_attention_mask is not None:
            seen[:, length:] = visual_attention_mask != 0
        if self.additional_layer is None:
            hidden = run_layers(self.layers, hidden, AttentionContext(hidden, seen), head_mask=head_mask)
        else:
            text = AttentionContext(hidden[:, :length], seen[:, :length])
            read = run_layers(self.layers, hidden[:, :length], text, head_mask=head_mask)
            hidden = torch.cat((read, hidden[:, length:]), dim=1)
            hidden = self.additional_layer(hidden, AttentionContext(hidden, seen))
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden, pooler_output=None if self.pooler is None else self.pooler(hidden)
        )


class VisualBertForPreTrainingOutput(ModelOutput):
    """Scores of each position's token, and of whether text and image belong together (batch, 2)."""

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


LM_TIE = {"lm_head.decoder.weight": "model.embeddings.word_embeddings.weight"}


def lm_head(config: PretrainedConfig) -> LMTransform:
    """BERT's prediction head."""
    act, eps = config.hidden_act, config.layer_norm_eps
    return LMTransform(config.hidden_size, config.vocab_size, act=act, eps=eps)


class VisualBertForPreTraining(Headed, VisualBertPreTrainedModel):
    """Both objectives of the pre-training."""

    base_class = VisualBertModel
    head_names = {**BERT_LM_HEAD, "seq_relationship": "cls.seq_relationship"}
    tied_weights = LM_TIE

    def build_head(self, config: PretrainedConfig) -> None:
        self.lm_head = lm_head(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        sentence_image_labels: Tensor | None = None,
        **inputs: Any,
    ) -> VisualBertForPreTrainingOutput:
        """`labels` (batch, tokens + regions), `sentence_image_labels` (batch,): 0, the image belongs."""
        outputs = self.model(input_ids, **inputs)
        predictions = self.lm_head(outputs.last_hidden_state)
        relation = self.seq_relationship(outputs.pooler_output)
        loss = None
        if labels is not None:
            if labels.shape != predictions.shape[:2]:
                raise ValueError(
                    f"labels are {tuple(labels.shape)}; they must cover text and regions, "
                    f"{tuple(predictions.shape[:2])}, with -100 where nothing is asked"
                )
            loss = token_loss(predictions, labels)
            if sentence_image_labels is not None:
                loss = loss + token_loss(relation, sentence_image_labels)
        return VisualBertForPreTrainingOutput.carry(
            outputs, loss=loss, prediction_logits=predictions, seq_relationship_logits=relation
        )


class VisualBertForMultipleChoice(ForMultipleChoice, VisualBertPreTrainedModel):
    """VisualBERT with a score for each of several texts (VCR)."""

    base_class = VisualBertModel
    head_names = {"classifier": "cls"}


class VisualBertForVisualReasoning(ForSequenceClassification, VisualBertPreTrainedModel):
    """VisualBERT with a classifier of text and image (NLVR2)."""

    base_class = VisualBertModel
    head_names = {"classifier": "cls"}

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> SequenceClassifierOutput:
        """Logits (batch, num_labels); labels (batch,) are classes."""
        outputs = super().forward(input_ids, **inputs)
        loss = None if labels is None else token_loss(outputs.logits, labels)
        return SequenceClassifierOutput.carry(outputs, loss=loss)


class VisualBertForQuestionAnswering(Headed, VisualBertPreTrainedModel):
    """VisualBERT with scores (batch, num_labels) of the answers, from the state of the text's last word."""

    base_class = VisualBertModel
    head_names = {"classifier": "cls"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> SequenceClassifierOutput:
        """`labels` (batch, num_labels): how likely each answer is; the loss is the divergence from it.

        With labels the logits are log-probabilities, as recorded of the reference.
        """
        if attention_mask is None:
            given = input_ids if input_ids is not None else inputs["inputs_embeds"][..., 0]
            attention_mask = torch.ones_like(given, dtype=torch.int64)
        outputs = self.model(input_ids, attention_mask, **inputs)
        rows = torch.arange(len(attention_mask), device=attention_mask.device)
        last = outputs.last_hidden_state[rows, attention_mask.sum(1) - 2]  # before the separator
        logits, loss = self.classifier(self.dropout(last)), None
        if labels is not None:
            loss, logits = divergence(logits, labels), logits.log_softmax(-1)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)


def divergence(logits: Tensor, labels: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the scores' distribution from `labels`, summed and over the batch."""
    return F.kl_div(logits.float().log_softmax(-1), labels.float(), reduction="batchmean")


class RegionToPhraseAttention(nn.Module):
    """Scores (batch, phrases, regions) of regions for phrases; files hold values too, which nothing uses."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size, width) for _ in range(3))
        self.scale = width**-0.5

    def forward(self, phrases: Tensor, regions: Tensor, seen: Tensor | None) -> Tensor:
        scores = self.query(phrases) @ self.key(regions).transpose(1, 2) * self.scale
        if seen is None:
            return scores
        return scores + (seen[:, None] == 0).to(scores.dtype) * torch.finfo(scores.dtype).min


class VisualBertForRegionToPhraseAlignment(Headed, VisualBertPreTrainedModel):
    """VisualBERT that says which region a phrase names (Flickr30k Entities)."""

    base_class = VisualBertModel
    head_names = {**BERT_LM_HEAD, "seq_relationship": "cls.seq_relationship"}
    tied_weights = LM_TIE

    def build_head(self, config: PretrainedConfig) -> None:
        self.lm_head = lm_head(config)  # files hold the heads of the pre-training, which nothing uses
        self.seq_relationship = nn.Linear(config.hidden_size, 2)
        self.attention = RegionToPhraseAttention(
            config.hidden_size, config.hidden_size // config.num_attention_heads
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        region_to_phrase_position: Tensor,
        visual_embeds: Tensor,
        visual_attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> SequenceClassifierOutput:
        """Positions of phrases (batch, phrases), -1 for none, to logits (batch, phrases, regions).

        `labels` (batch, phrases, regions) say how likely each region is.
        """
        outputs = self.model(
            input_ids, visual_embeds=visual_embeds, visual_attention_mask=visual_attention_mask, **inputs
        )
        hidden = outputs.last_hidden_state
        places = region_to_phrase_position.clamp(min=0)[..., None].expand(-1, -1, hidden.shape[-1])
        regions = hidden[:, -visual_embeds.shape[1] :]
        logits = self.attention(hidden.gather(1, places), regions, visual_attention_mask)
        loss = None if labels is None else divergence(logits, labels)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)
