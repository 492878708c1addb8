"""Adaptive embeddings and softmax: rare words have narrower vectors (https://arxiv.org/abs/1609.04309).

See https://arxiv.org/abs/1809.10853, section 2, for the embeddings.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_text.transfo_xl.config import TransfoXLConfig


def widths(config: TransfoXLConfig) -> list[int]:
    """The width of the vectors in each table: one table, or with `div_val` one for each part."""
    count = len(config.parts) if config.div_val > 1 else 1
    return [config.d_embed // config.div_val**i for i in range(count)]


def projections(config: TransfoXLConfig) -> nn.ParameterList:
    """(d_model, width) from each width, none where there is nothing to change."""
    sizes = widths(config)
    changes = config.div_val > 1 or config.d_embed != config.d_model
    return nn.ParameterList(nn.Parameter(torch.zeros(config.d_model, n)) for n in sizes if changes)


class AdaptiveEmbedding(nn.Module):
    """Tables of vectors, projected to the model's width and scaled by its root."""

    hub_names = {"tables": "emb_layers", "projections": "emb_projs"}

    def __init__(self, config: TransfoXLConfig) -> None:
        super().__init__()
        self.parts = config.parts if config.div_val > 1 else [(0, config.vocab_size)]
        self.tables = nn.ModuleList(
            nn.Embedding(end - start, width)
            for (start, end), width in zip(self.parts, widths(config), strict=True)
        )
        self.projections = projections(config)
        self.size, self.std = config.d_model, config.proj_init_std

    def reset_parameters(self) -> None:
        for projection in self.projections:
            nn.init.normal_(projection, std=self.std)

    def forward(self, ids: Tensor) -> Tensor:
        """ids (...) to (..., d_model)."""
        scale = self.size**0.5
        if len(self.tables) == 1:
            hidden = self.tables[0](ids)
            return (F.linear(hidden, self.projections[0]) if len(self.projections) else hidden) * scale
        flat = ids.flatten()
        hidden = self.projections[0].new_zeros(len(flat), self.size)
        for (start, end), table, projection in zip(self.parts, self.tables, self.projections, strict=True):
            rows = ((flat >= start) & (flat < end)).nonzero()[:, 0]
            hidden = hidden.index_copy(0, rows, F.linear(table(flat[rows] - start), projection))
        return hidden.view(*ids.shape, self.size) * scale


class AdaptiveSoftmax(nn.Module):
    """Scores of the frequent words and of each part of rarer ones; within a part, those of its words."""

    hub_names = {"tables": "out_layers", "projections": "out_projs"}

    def __init__(self, config: TransfoXLConfig) -> None:
        super().__init__()
        self.parts, self.std = config.parts, config.proj_init_std
        sizes = widths(config)
        rows = [end - start for start, end in self.parts] if len(sizes) > 1 else [config.vocab_size]
        self.tables = nn.ModuleList(nn.Linear(width, n) for width, n in zip(sizes, rows, strict=True))
        self.projections = projections(config)
        for _ in self.parts[len(self.projections) :] if len(self.projections) else ():  # one for each part
            self.projections.append(nn.Parameter(torch.zeros(config.d_model, config.d_embed)))
        if len(self.parts) > 1:
            self.cluster_weight = nn.Parameter(torch.zeros(len(self.parts) - 1, config.d_embed))
            self.cluster_bias = nn.Parameter(torch.zeros(len(self.parts) - 1))

    def reset_parameters(self) -> None:
        for projection in self.projections:
            nn.init.normal_(projection, std=self.std)

    def part(self, hidden: Tensor, number: int) -> Tensor:
        """Log-probabilities (n, words) within a part; the other parts follow the words of the first."""
        table = self.tables[number] if len(self.tables) > 1 else self.tables[0]
        weight, bias = table.weight, table.bias
        if len(self.tables) == 1:
            start, end = self.parts[number]
            weight, bias = weight[start:end], bias[start:end]
        if number == 0 and len(self.parts) > 1:
            weight, bias = torch.cat((weight, self.cluster_weight)), torch.cat((bias, self.cluster_bias))
        if len(self.projections):
            hidden = hidden @ self.projections[number]
        return F.log_softmax(F.linear(hidden, weight, bias).float(), dim=-1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., d_model) to log-probabilities of all words (..., vocab_size)."""
        head, first = self.part(hidden, 0), self.parts[0][1]
        rest = [self.part(hidden, i) + head[..., first + i - 1, None] for i in range(1, len(self.parts))]
        return torch.cat((head[..., :first], *rest), dim=-1)

    def loss(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """Negative log-probabilities (n,) of labels (n,), 0 for labels below 0; hidden (n, d_model).

        Only the parts that the labels are in are computed.
        """
        head, first = self.part(hidden, 0), self.parts[0][1]
        losses = hidden.new_zeros(len(hidden), dtype=torch.float32)
        for number, (start, end) in enumerate(self.parts):
            rows = ((labels >= start) & (labels < end)).nonzero()[:, 0]
            if number == 0:
                found = head[rows]
            elif len(rows):
                found = self.part(hidden[rows], number) + head[rows, first + number - 1, None]
            else:
                continue
            losses = losses.index_copy(0, rows, -found.gather(1, labels[rows, None] - start)[:, 0])
        return losses
