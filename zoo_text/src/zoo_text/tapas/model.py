"""TAPAS: a BERT that reads tables, and chooses cells and an operation on them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT
from zoo_core.heads.base import Headed
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions, ModelOutput
from zoo_core.nn.embeddings import TextEmbeddings, embed
from zoo_text.bert import model as bert
from zoo_text.tapas import table
from zoo_text.tapas.config import TapasConfig

COLUMN, ROW = 1, 2
"""Which of the token types are the column and the row."""


class TapasPreTrainedModel(bert.BertPreTrainedModel):
    """What all TAPAS classes share."""

    config_class = TapasConfig
    base_model_prefix = "tapas"


def positions_in_cells(kinds: Tensor, last: int) -> Tensor:
    """Positions (batch, sequence) that begin anew in each cell, at most `last`, of token types."""
    columns, rows = kinds[..., COLUMN], kinds[..., ROW]
    cell = rows * (int(columns.max()) + 1) + columns
    position = torch.arange(kinds.shape[1], device=kinds.device).expand_as(cell)
    first = torch.zeros(len(cell), int(cell.max()) + 1, dtype=position.dtype, device=kinds.device)
    first = first.scatter_reduce(1, cell, position, "amin", include_self=False)
    return (position - first.gather(1, cell)).clamp(max=last)


class TapasModel(TapasPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    blind_queries_average = True
    hub_names = {**BERT, "embeddings.kinds.*": "embeddings.token_type_embeddings_*"}

    def embed_with(self, config: TapasConfig, width: int) -> TextEmbeddings:  # type: ignore[override]
        made = TextEmbeddings(
            config.vocab_size,
            width,
            max_positions=config.max_position_embeddings,
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        made.kinds = nn.ModuleList(nn.Embedding(rows, width) for rows in config.type_vocab_sizes)
        return made

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As BERT's; `token_type_ids` are (batch, sequence, kinds), see `TapasConfig.type_vocab_sizes`."""
        words = embed(self.embeddings.word_embeddings, input_ids, inputs_embeds)
        tables: Any = self.embeddings.kinds
        kinds = token_type_ids
        if kinds is None:
            kinds = torch.zeros(*words.shape[:2], len(tables), dtype=torch.long, device=words.device)
        if kinds.dim() != 3 or kinds.shape[-1] != len(tables):
            raise ValueError(
                f"token_type_ids are {tuple(kinds.shape)}; they must be (batch, sequence, {len(tables)}), as "
                "the tokenizer makes them"
            )
        if position_ids is None and self.config.reset_position_index_per_cell:
            position_ids = positions_in_cells(kinds, self.config.max_position_embeddings - 1)
        words = words + sum(one(kinds[..., i]) for i, one in enumerate(tables))
        return super().forward(None, attention_mask, position_ids=position_ids, inputs_embeds=words, **inputs)


class TapasForMaskedLM(TapasPreTrainedModel, bert.BertForMaskedLM):
    """TAPAS with a masked language modeling head."""

    base_class = TapasModel


class TapasForSequenceClassification(TapasPreTrainedModel, bert.BertForSequenceClassification):
    """TAPAS with a classifier on the pooled output."""

    base_class = TapasModel


class TableQuestionAnsweringOutput(ModelOutput):
    """Scores of choosing each token's cell (batch, sequence), and of operations (batch, operations)."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    logits_aggregation: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TapasForQuestionAnswering(Headed, TapasPreTrainedModel):
    """TAPAS with scores of cells and of operations on the chosen ones."""

    base_class = TapasModel

    def build_head(self, config: TapasConfig) -> None:  # type: ignore[override]
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        size, std = config.hidden_size, config.initializer_range
        scale = 0.0 if config.init_cell_selection_weights_to_zero else std
        self.output_weights = nn.Parameter(torch.randn(size) * scale)
        self.column_output_weights = nn.Parameter(torch.randn(size) * scale)
        self.output_bias = nn.Parameter(torch.zeros(()))
        self.column_output_bias = nn.Parameter(torch.zeros(()))
        self.aggregation_classifier = None
        if config.num_aggregation_labels > 0:
            self.aggregation_classifier = nn.Linear(size, config.num_aggregation_labels)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        table_mask: Tensor | None = None,
        labels: Tensor | None = None,
        aggregation_labels: Tensor | None = None,
        float_answer: Tensor | None = None,
        numeric_values: Tensor | None = None,
        numeric_values_scale: Tensor | None = None,
        **inputs: Any,
    ) -> TableQuestionAnsweringOutput:
        """A question and a table to scores.

        Args:
            table_mask: (batch, sequence), 1 for tokens of the table. labels: (batch, sequence), 1 for tokens
                of the answer's cells. aggregation_labels: (batch,). float_answer: (batch,), nan for answers
                that are no number; with it and numeric_values, numeric_values_scale (batch, sequence) the
                model learns from the answer alone.
        """
        config: Any = self.config
        outputs = self.model(input_ids, attention_mask, token_type_ids, **inputs)
        hidden = self.dropout(outputs.last_hidden_state)
        shape, device = hidden.shape[:2], hidden.device
        if token_type_ids is None:
            kinds = len(config.type_vocab_sizes)
            token_type_ids = torch.zeros(*shape, kinds, dtype=torch.long, device=device)
        rows, columns = token_type_ids[..., ROW], token_type_ids[..., COLUMN]
        cells = table.Cells(rows, columns, (config.max_num_rows, config.max_num_columns))
        seen = torch.ones(shape, device=device) if attention_mask is None else attention_mask
        shown = cells.mean(seen.to(hidden.dtype))
        logits = (hidden @ self.output_weights + self.output_bias) / config.temperature
        picks = table.column_scores(
            hidden @ self.column_output_weights + self.column_output_bias,
            cells,
            shown,
            allow_empty=config.allow_empty_column_selection,
        )
        operations = None
        if self.aggregation_classifier is not None:
            operations = self.aggregation_classifier(outputs.pooler_output)
        loss = None
        if labels is None:
            if config.select_one_column:
                nothing = torch.zeros_like(logits)
                _, logits = table.choose_in_column(logits, picks, nothing, cells, shown)
        else:
            if config.average_logits_per_cell:
                logits = cells.of_tokens(cells.mean(logits))
            if config.select_one_column:
                chosen_loss, logits = table.choose_in_column(logits, picks, labels, cells, shown)
            else:
                chosen_loss = self.token_loss(logits, labels, seen.to(hidden.dtype))
            numbers = None
            if float_answer is not None and numeric_values is not None and numeric_values_scale is not None:
                numbers = table.Numbers(numeric_values, numeric_values_scale, float_answer)
            in_table = ((rows > 0) if table_mask is None else table_mask).to(hidden.dtype)
            loss = self.total_loss(
                chosen_loss, logits, operations, labels, aggregation_labels, float_answer, numbers, in_table
            )
        return TableQuestionAnsweringOutput.carry(
            outputs, loss=loss, logits=logits, logits_aggregation=operations
        )

    def token_loss(self, logits: Tensor, labels: Tensor, seen: Tensor) -> Tensor:
        """The loss of choosing tokens one by one (batch,)."""
        target = labels.to(logits.dtype)
        weight = torch.where(labels == 0, 1.0, float(self.config.positive_label_weight))
        wrong = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
        return (wrong * seen).sum(1) / (seen.sum(1) + table.EPSILON)

    def total_loss(
        self,
        chosen_loss: Tensor,
        logits: Tensor,
        operations: Tensor | None,
        labels: Tensor,
        aggregation_labels: Tensor | None,
        float_answer: Tensor | None,
        numbers: table.Numbers | None,
        in_table: Tensor,
    ) -> Tensor:
        """The losses of cells, operations and the computed answer together."""
        config: Any = self.config
        aggregates = None
        if operations is not None and config.use_answer_as_supervision:
            if float_answer is None or numbers is None:
                raise ValueError(
                    "learning from answers (use_answer_as_supervision) needs float_answer, numeric_values "
                    "and numeric_values_scale"
                )
            preference = config.cell_selection_preference
            aggregates = table.must_compute(operations, labels, float_answer, preference)
        total = torch.zeros((), device=logits.device)
        if not config.disable_per_token_loss:
            total = total + (chosen_loss if aggregates is None else chosen_loss * (1 - aggregates)).mean()
        if operations is None:
            return total
        more = table.operation_loss(
            operations, aggregation_labels, aggregates, config.aggregation_loss_weight
        )
        if aggregates is not None and numbers is not None:
            answer, kept = table.answer_loss(
                logits.sigmoid(), numbers, in_table, operations, aggregates, config
            )
            more = (more + answer) * kept
        return total + more.mean()
