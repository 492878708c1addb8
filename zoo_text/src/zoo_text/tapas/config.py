"""Configuration of TAPAS."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import field
from zoo_text.bert.config import BertConfig


class TapasConfig(BertConfig):
    """A BERT's with seven kinds of token types, and how questions about tables are answered.

    Args:
        type_vocab_sizes: of segment, column, row, earlier answer, rank, inverse rank and relations.
        num_aggregation_labels: operations on the chosen cells (none, sum, average, count); 0 for none.
        use_answer_as_supervision: learn from the answer's number alone.
        select_one_column: choose a column first, then cells in it.
        average_approximation_function: "ratio", "first_order" or "second_order".
    """

    model_type = "tapas"

    max_position_embeddings: int = 1024
    type_vocab_sizes: list[int] = field([3, 256, 256, 2, 256, 256, 10])
    positive_label_weight: float = 10.0
    num_aggregation_labels: int = 0
    aggregation_loss_weight: float = 1.0
    use_answer_as_supervision: bool | None = None
    answer_loss_importance: float = 1.0
    use_normalized_answer_loss: bool = False
    huber_loss_delta: float | None = None
    temperature: float = 1.0
    aggregation_temperature: float = 1.0
    use_gumbel_for_cells: bool = False
    use_gumbel_for_aggregation: bool = False
    average_approximation_function: str = "ratio"
    cell_selection_preference: float | None = None
    answer_loss_cutoff: float | None = None
    max_num_rows: int = 64
    max_num_columns: int = 32
    average_logits_per_cell: bool = False
    select_one_column: bool = True
    allow_empty_column_selection: bool = False
    init_cell_selection_weights_to_zero: bool = False
    reset_position_index_per_cell: bool = True
    disable_per_token_loss: bool = False
    aggregation_labels: dict[int, str] | None = None
    no_aggregation_label_index: int | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        if self.average_approximation_function not in ("ratio", "first_order", "second_order"):
            yield "average_approximation_function", 'must be "ratio", "first_order" or "second_order"'
        if self.use_gumbel_for_cells or self.use_gumbel_for_aggregation:
            yield (
                "use_gumbel_for_cells",
                "must be False: losses are computed of probabilities, not of samples",
            )
        if self.use_answer_as_supervision and self.cell_selection_preference is None:
            yield "cell_selection_preference", "must be set, from 0 to 1, to learn from answers alone"
