"""BigBird: a BERT whose queries see the first block of tokens, the last, their neighbours, and a few more."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LM_HEAD
from zoo_core.heads.first_token import FirstTokenClassifier, ForFirstTokenClassification
from zoo_core.heads.language import ForMaskedLM
from zoo_core.heads.pooled import ForMultipleChoice
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.loss import span_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import TextEmbeddings, embed
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, record, wants
from zoo_core.nn.rotary import RotaryTables
from zoo_text.bert.model import LM_TIE, BertForPreTraining, BertLayer, BertLMHeadModel, BertModel
from zoo_text.big_bird.config import BigBirdConfig

#: what is subtracted from the scores of a question's own tokens
_NOT_AN_ANSWER = 1e6


class BigBirdPreTrainedModel(PreTrainedModel):
    """What all BigBird classes share."""

    config_class = BigBirdConfig
    base_model_prefix = "bert"
    ignored_names = ("*position_ids", "*token_type_ids")


class BigBirdAttention(Attention):
    """Attention by blocks (section 2 of the paper); full where the text is short, and in a decoder.

    Trained with random blocks; without training each stands for one more copy of the first block, which is
    how the published checkpoints are evaluated. Weights are recorded for one copy of each key. All scores
    are formed and those of unseen blocks masked: the cost is that of full attention.
    """

    def __init__(self, config: BigBirdConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size,
            config.num_attention_heads,
            bias=config.use_bias,
            out_bias=True,
            dropout=config.attention_probs_dropout_prob,
            rule=CAUSAL if config.is_decoder else FULL,
            layer_idx=layer_idx,
        )
        self.block, self.random = config.block_size, config.num_random_blocks
        self.sparse = config.attention_type == "block_sparse" and not config.is_decoder

    def forward(
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        rotary: RotaryTables | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        length = hidden.shape[1]
        if not self.sparse or length <= (5 + 2 * self.random) * self.block:
            return super().forward(hidden, context, rotary=rotary, bias=bias, head_mask=head_mask)
        query, key, value, mask = self.inputs(hidden, context, rotary)
        blocks = -(-length // self.block)
        copies = self.by_token(self.copies(blocks, hidden), length)
        if wants(ATTENTIONS) and context.padding is not None and context.padding.shape[-2] == 1:
            padded = ~context.padding.transpose(2, 3)
            copies = torch.where(padded, self.by_token(self.of_padding(blocks, hidden), length), copies)
        seen = copies > 0
        allowed = seen if mask.allowed is None else seen & mask.allowed
        attended, weights = self.weigh(
            query,
            key,
            value,
            mask._replace(allowed=allowed),
            bias=copies.clamp(min=1).log(),
            head_mask=head_mask,
        )
        record(ATTENTIONS, None if weights is None else weights / copies.clamp(min=1))
        if context.padding is not None and context.padding.shape[-2] == 1:
            attended = attended * context.padding.transpose(2, 3)
        return self.merge(attended)

    def by_token(self, table: Tensor, length: int) -> Tensor:
        """A table of blocks (..., blocks, blocks) as one of tokens (..., length, length)."""
        for dim in (-2, -1):
            table = table.repeat_interleave(self.block, dim).narrow(dim, 0, length)
        return table

    def of_padding(self, blocks: int, like: Tensor) -> Tensor:
        """The same for queries that are padding, whose weights show in recordings alone."""
        index = torch.arange(blocks, device=like.device)
        near = (index[:, None] - index).abs() <= 1
        end = (index == 0) | (index == blocks - 1)
        outer = (index <= 1) | (index >= blocks - 2)
        return (end | end[:, None] | (near & outer[:, None])).to(like.dtype)[None, None]

    def copies(self, blocks: int, like: Tensor) -> Tensor:
        """How many times each query block sees each key block, (1, heads or 1, blocks, blocks)."""
        index = torch.arange(blocks, device=like.device)
        near = (index[:, None] - index).abs() <= 1
        end = (index == 0) | (index == blocks - 1)
        seen = near | end | end[:, None]
        if not self.training:
            extra = (~end[:, None] & (index == 0)).to(like.dtype) * self.random
            return (seen.to(like.dtype) + extra)[None, None]
        order = torch.rand(self.num_heads, blocks, blocks, device=like.device).masked_fill(seen, -1)
        chosen = order.topk(self.random, dim=-1).indices
        drawn = torch.zeros_like(order, dtype=torch.bool).scatter(-1, chosen, True)
        return (drawn | seen).to(like.dtype)[None]


class BigBirdLayer(BertLayer):
    """A layer of BERT with this attention."""

    def __init__(self, config: BigBirdConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)  # type: ignore[arg-type]
        self.self_attn = BigBirdAttention(config, layer_idx)


class ScaledEmbeddings(TextEmbeddings):
    """BERT's embeddings, words multiplied by the square root of the width."""

    def forward(
        self, input_ids: Tensor | None, *, inputs_embeds: Tensor | None = None, **inputs: Any
    ) -> Tensor:
        words = embed(self.word_embeddings, input_ids, inputs_embeds)
        return super().forward(None, inputs_embeds=words * words.shape[-1] ** 0.5, **inputs)


class BigBirdModel(BigBirdPreTrainedModel, BertModel):
    """The encoder without a head."""

    hub_names = {**BERT, "pooler.dense": "pooler"}
    layer_class = BigBirdLayer

    def embed_with(self, config: BigBirdConfig, width: int) -> TextEmbeddings:  # type: ignore[override]
        self.embeddings_class = ScaledEmbeddings if config.rescale_embeddings else TextEmbeddings  # type: ignore[misc]
        return super().embed_with(config, width)  # type: ignore[arg-type]


class BigBirdForMaskedLM(BigBirdPreTrainedModel, ForMaskedLM):
    """BigBird with a masked language modeling head."""

    base_class = BigBirdModel
    head_names = BERT_LM_HEAD
    tied_weights = LM_TIE


class BigBirdForPreTraining(BigBirdPreTrainedModel, BertForPreTraining):
    """BigBird with both heads of BERT's pre-training."""

    base_class = BigBirdModel


class BigBirdForCausalLM(BigBirdPreTrainedModel, BertLMHeadModel):
    """BigBird as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = BigBirdModel
    base_options = {}


class BigBirdForSequenceClassification(ForFirstTokenClassification, BigBirdPreTrainedModel):
    """BigBird with a classifier on the first token."""

    base_class = BigBirdModel
    base_options = {}

    def build_head(self, config: BigBirdConfig) -> None:
        self.classifier = FirstTokenClassifier(config, config.hidden_act)


class BigBirdForMultipleChoice(ForMultipleChoice, BigBirdPreTrainedModel):
    """BigBird with one score for each choice."""

    base_class = BigBirdModel


class BigBirdForTokenClassification(ForTokenClassification, BigBirdPreTrainedModel):
    """BigBird with a classifier on each token."""

    base_class = BigBirdModel


class BigBirdForQuestionAnsweringModelOutput(ModelOutput):
    """Scores of an answer's first and last token (batch, sequence)."""

    loss: Tensor | None = None
    start_logits: Tensor
    end_logits: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class AnswerHead(nn.Module):
    """A feed-forward block with its norm, then the two scores."""

    hub_names = {"mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense", "layer_norm": "output.LayerNorm"}

    def __init__(self, config: BigBirdConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.mlp = MLP(config.hidden_size, config.intermediate_size, config.hidden_act)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.layer_norm(hidden + self.dropout(self.mlp(self.dropout(hidden))))
        return self.qa_outputs(hidden)


class BigBirdForQuestionAnswering(ForQuestionAnswering, BigBirdPreTrainedModel):
    """BigBird with scores of an answer's first and last token, which cannot be in the question.

    The question ends with the first separator, or after `question_lengths` (batch, 1) tokens; its first
    token may be chosen, for "no answer".
    """

    base_class = BigBirdModel
    base_options = {"add_pooling_layer": False}

    def build_head(self, config: BigBirdConfig) -> None:
        self.qa_classifier = AnswerHead(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        question_lengths: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        if question_lengths is None and input_ids is not None:
            question_lengths = (input_ids == self.config.sep_token_id).int().argmax(1, keepdim=True) + 1
        question = None
        if question_lengths is not None:
            given = input_ids if input_ids is not None else inputs["inputs_embeds"]
            question = torch.arange(given.shape[1], device=given.device) < question_lengths
            if token_type_ids is None:
                token_type_ids = (~question).long()
        outputs = self.model(input_ids, attention_mask, token_type_ids, **inputs)
        logits = self.qa_classifier(outputs.last_hidden_state)
        if question is not None:
            question[:, 0] = False
            logits = logits - question[..., None] * _NOT_AN_ANSWER
        start, end = logits.unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = span_loss(start, end, start_positions, end_positions)
        return BigBirdForQuestionAnsweringModelOutput.carry(
            outputs, loss=loss, start_logits=start, end_logits=end
        )
