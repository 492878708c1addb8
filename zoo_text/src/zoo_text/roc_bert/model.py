"""RoCBert: a BERT that also reads the shape and the pronunciation of Chinese characters."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions, MaskedLMOutput
from zoo_core.nn.embeddings import TextEmbeddings, embed
from zoo_core.nn.recording import unrecorded
from zoo_text.bert import model as bert
from zoo_text.roc_bert.config import RoCBertConfig


class RoCBertPreTrainedModel(bert.BertPreTrainedModel):
    """What all RoCBert classes share."""

    config_class = RoCBertConfig
    base_model_prefix = "roc_bert"


class RoCBertEmbeddings(TextEmbeddings):
    """BERT's, with the embeddings of shapes and pronunciations joined to the words' or averaged."""

    def look(self, config: RoCBertConfig) -> None:
        """Create the further tables."""
        self.shape_embed = nn.Embedding(config.shape_vocab_size, config.shape_embed_dim, padding_idx=0)
        self.pronunciation_embed = nn.Embedding(
            config.pronunciation_vocab_size, config.pronunciation_embed_dim, padding_idx=0
        )
        looks = [
            (config.enable_shape, self.shape_embed),
            (config.enable_pronunciation, self.pronunciation_embed),
        ]
        self.enabled = [enabled for enabled, _ in looks]
        self.map_inputs_layer = None
        if config.concat_input:
            joined = sum(table.embedding_dim for enabled, table in looks if enabled)
            self.map_inputs_layer = nn.Linear(config.hidden_size + joined, config.hidden_size)

    def forward(
        self,
        input_ids: Tensor | None,
        *,
        inputs_embeds: Tensor | None = None,
        input_shape_ids: Tensor | None = None,
        input_pronunciation_ids: Tensor | None = None,
        **inputs: Any,
    ) -> Tensor:
        """As BERT's; shapes and pronunciations (batch, sequence) left out have id 0, or no part."""
        words = embed(self.word_embeddings, input_ids, inputs_embeds)
        given = ((self.shape_embed, input_shape_ids), (self.pronunciation_embed, input_pronunciation_ids))
        used = [pair for enabled, pair in zip(self.enabled, given, strict=True) if enabled]
        if self.map_inputs_layer is not None:
            nothing = torch.zeros(words.shape[:2], dtype=torch.long, device=words.device)
            looks = [table(nothing if ids is None else ids) for table, ids in used]
            words = self.map_inputs_layer(torch.cat((words, *looks), dim=-1))
            return super().forward(None, inputs_embeds=words, **inputs)
        hidden = super().forward(None, inputs_embeds=words, **inputs)
        looks = [table(ids) for table, ids in used if ids is not None]
        return sum(looks, start=hidden) / (len(looks) + 1)


class RoCBertModel(RoCBertPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    embeddings_class = RoCBertEmbeddings

    def make_embeddings(self, config: RoCBertConfig) -> None:
        super().make_embeddings(config)
        self.embeddings.look(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_shape_ids: Tensor | None = None,
        input_pronunciation_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As BERT's; `input_shape_ids` and `input_pronunciation_ids` (batch, sequence) go with the ids."""
        looks = {"input_shape_ids": input_shape_ids, "input_pronunciation_ids": input_pronunciation_ids}
        return super().forward(
            input_ids, attention_mask, token_type_ids, position_ids, embedding_inputs=looks, **inputs
        )


class RoCBertForMaskedLM(RoCBertPreTrainedModel, bert.BertForMaskedLM):
    """RoCBert with a masked language modeling head."""

    base_class = RoCBertModel


class RoCBertForPreTraining(RoCBertPreTrainedModel, bert.BertForMaskedLM):
    """The same, with the loss of the pre-training: texts must stay close to the attacks on them."""

    base_class = RoCBertModel
    base_options = {}

    def forward(self, input_ids: Tensor | None = None, *args: Any, **inputs: Any) -> MaskedLMOutput:  # type: ignore[override]
        """Arguments `attack_*` are the inputs of the attacked text, `labels_*` those of the true one."""
        attack = {name[7:]: inputs.pop(name) for name in list(inputs) if name.startswith("attack_")}
        truth = {name[7:]: inputs.pop(name) for name in list(inputs) if name.startswith("labels_")}
        outputs = self.model(input_ids, *args, **inputs)
        logits = self.lm_head(outputs.last_hidden_state)
        loss = None
        labels = truth.get("input_ids")
        if labels is not None:
            loss = token_loss(logits, labels)
            if attack.get("input_ids") is not None:
                truth["input_ids"] = labels.clamp(min=0)
                loss = loss + self._contrast(outputs.pooler_output, attack, truth)
        return MaskedLMOutput.carry(outputs, loss=loss, logits=logits)

    def _contrast(self, pooled: Tensor, attack: dict[str, Any], truth: dict[str, Any]) -> Tensor:
        """Each text, as read and as it should be, must be closest to its own attack."""
        with unrecorded():
            attacked = F.normalize(self.model(**attack).pooler_output, dim=-1)
            true = self.model(**truth).pooler_output
        own = torch.arange(len(attacked), device=attacked.device)
        texts = (F.normalize(x, dim=-1) for x in (pooled, true))
        return sum(F.cross_entropy(100 * text @ attacked.T, own) for text in texts) / 2  # type: ignore[return-value]


class RoCBertForCausalLM(RoCBertPreTrainedModel, bert.BertLMHeadModel):
    """RoCBert as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = RoCBertModel


class RoCBertForSequenceClassification(RoCBertPreTrainedModel, bert.BertForSequenceClassification):
    """RoCBert with a classifier on the pooled output."""

    base_class = RoCBertModel


class RoCBertForMultipleChoice(RoCBertPreTrainedModel, bert.BertForMultipleChoice):
    """RoCBert with one score for each choice."""

    base_class = RoCBertModel


class RoCBertForTokenClassification(RoCBertPreTrainedModel, bert.BertForTokenClassification):
    """RoCBert with a classifier on each token."""

    base_class = RoCBertModel


class RoCBertForQuestionAnswering(RoCBertPreTrainedModel, bert.BertForQuestionAnswering):
    """RoCBert with scores of an answer's first and last token."""

    base_class = RoCBertModel
