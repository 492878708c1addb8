"""One vector for a whole sequence, as the configs of GPT-2, XLM and XLNet describe it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.nn.activation import activation

KINDS = ("last", "first", "mean", "cls_index")


class SequenceSummary(nn.Module):
    """Picks by `summary_type`, drops out, projects to the labels or the width, activates, drops out."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.kind = getattr(config, "summary_type", "last")
        if self.kind not in KINDS:
            raise ConfigError(f"summary_type is {self.kind!r}; it must be one of {', '.join(KINDS)}")
        self.summary: nn.Module = nn.Identity()
        if getattr(config, "summary_use_proj", False):
            to_labels = getattr(config, "summary_proj_to_labels", False) and config.num_labels > 0
            self.summary = nn.Linear(
                config.hidden_size, config.num_labels if to_labels else config.hidden_size
            )
        self.act = activation(getattr(config, "summary_activation", None) or "linear")
        self.first_dropout = nn.Dropout(getattr(config, "summary_first_dropout", 0.0) or 0.0)
        self.last_dropout = nn.Dropout(getattr(config, "summary_last_dropout", 0.0) or 0.0)

    def forward(self, hidden: Tensor, index: Tensor | None = None) -> Tensor:
        """(..., sequence, hidden) to (..., features); `index` (...) picks the token for "cls_index"."""
        if self.kind == "first":
            picked = hidden[..., 0, :]
        elif self.kind == "mean":
            picked = hidden.mean(-2)
        elif self.kind == "last" or index is None:
            picked = hidden[..., -1, :]
        else:
            at = index[..., None, None].expand(*index.shape, 1, hidden.shape[-1])
            picked = torch.gather(hidden, -2, at).squeeze(-2)
        return self.last_dropout(self.act(self.summary(self.first_dropout(picked))))
