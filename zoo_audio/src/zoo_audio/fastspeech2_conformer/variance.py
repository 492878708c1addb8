"""What FastSpeech 2 predicts of each phoneme, and how that lengthens and colours the states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig


class PredictorLayer(nn.Module):
    """Convolution, ReLU, norm over channels."""

    def __init__(self, inputs: int, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, channels, kernel, padding=(kernel - 1) // 2)
        self.layer_norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, phonemes, inputs) to (batch, phonemes, channels)."""
        hidden = self.conv(hidden.transpose(1, 2)).relu().transpose(1, 2)
        return self.dropout(self.layer_norm(hidden))


class VariancePredictor(nn.Module):
    """A number for each phoneme; sizes are the fields `{name}_...` of the config."""

    def __init__(self, config: PretrainedConfig, name: str, dropout: float) -> None:
        super().__init__()
        channels, kernel = (getattr(config, f"{name}_{part}") for part in ("channels", "kernel_size"))
        count = getattr(config, f"{name}_layers")
        self.conv_layers = nn.ModuleList(
            PredictorLayer(channels if i else config.hidden_size, channels, kernel, dropout)
            for i in range(count)
        )
        self.linear = nn.Linear(channels, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, phonemes, hidden) to (batch, phonemes, 1)."""
        for layer in self.conv_layers:
            hidden = layer(hidden)
        return self.linear(hidden)


class VarianceEmbedding(nn.Module):
    """A number for each phoneme to a vector."""

    def __init__(self, size: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, size, kernel, padding=(kernel - 1) // 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor) -> Tensor:
        """(batch, phonemes, 1) to (batch, phonemes, size)."""
        return self.dropout(self.conv(values.transpose(1, 2)).transpose(1, 2))


def lengthened(hidden: Tensor, durations: Tensor, speed: float) -> tuple[Tensor, Tensor]:
    """States (batch, phonemes, size), each as often as its duration, and lengths (batch,).

    Where no row has any duration, each phoneme gets one frame.

    Raises:
        ValueError: a speed that is not positive.
    """
    if speed <= 0:
        raise ValueError(f"speaking_speed={speed} must be positive")
    if speed != 1.0:
        durations = (durations.float() * speed).round().long()
    if not bool(durations.any()):
        durations = torch.ones_like(durations)
    rows = [states.repeat_interleave(counts, dim=0) for states, counts in zip(hidden, durations, strict=True)]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True), durations.sum(1)
