"""Feed-forward blocks."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.nn.activation import Activation, activation
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.linear import Linear


class MLP(nn.Module):
    """fc2(act(fc1(x))), with dropout after the activation and at the end.

    Args:
        hidden_size: width of input and output. intermediate_size: width between.
    """

    def __init__(
        self,
        hidden_size: int,
        intermediate_size: int,
        act: str | Activation,
        *,
        bias: bool = True,
        activation_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.fc1 = Linear(hidden_size, intermediate_size, bias=bias)
        self.fc2 = Linear(intermediate_size, hidden_size, bias=bias)
        self.act = activation(act)
        self.activation_dropout = Dropout(activation_dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.fc2(self.activation_dropout(self.act(self.fc1(x)))))


class GatedMLP(nn.Module):
    """down_proj(dropout(act(gate_proj(x)) * up_proj(x))) (https://arxiv.org/abs/2002.05202)."""

    def __init__(
        self,
        hidden_size: int,
        intermediate_size: int,
        act: str | Activation,
        *,
        bias: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.gate_proj = Linear(hidden_size, intermediate_size, bias=bias)
        self.up_proj = Linear(hidden_size, intermediate_size, bias=bias)
        self.down_proj = Linear(intermediate_size, hidden_size, bias=bias)
        self.act = activation(act)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.dropout(self.act(self.gate_proj(x)) * self.up_proj(x)))
