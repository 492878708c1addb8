"""Its model."""

import torch

from zoo_core.modeling import PreTrainedModel
from zoo_test_conflicting.bert.config import BertConfig


class BertModel(PreTrainedModel):
    """Says what it is given."""

    config_class = BertConfig

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return input_ids
