"""Informer and Autoformer: drawn futures, sparse attention and bad input, beyond the recorded cases."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_text.autoformer.config import AutoformerConfig
from zoo_text.autoformer.model import AutoformerForPrediction
from zoo_text.informer.config import InformerConfig
from zoo_text.informer.model import InformerForPrediction
from zoo_text.time_series_transformer.config import TimeSeriesTransformerConfig
from zoo_text.time_series_transformer.model import TimeSeriesTransformerForPrediction

SIZES: dict[str, Any] = {
    "prediction_length": 4,
    "context_length": 8,
    "lags_sequence": [1, 2],
    "num_time_features": 1,
    "d_model": 8,
    "num_parallel_samples": 3,
}
KINDS = {
    TimeSeriesTransformerForPrediction: TimeSeriesTransformerConfig(**SIZES),
    InformerForPrediction: InformerConfig(**SIZES),
    AutoformerForPrediction: AutoformerConfig(**SIZES, label_length=4, moving_average=3),
}


def series(batch: int = 2) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "past_values": torch.rand(batch, 10) * 100,
        "past_time_features": torch.rand(batch, 10, 1),
        "future_time_features": torch.rand(batch, 4, 1),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_futures_have_the_scale_of_their_past(kind: type) -> None:
    model, inputs = kind(KINDS[kind]).eval(), series()
    drawn = model.generate(**inputs).sequences
    assert drawn.shape == (2, 3, 4)
    inputs["past_values"] *= 1000
    torch.manual_seed(1)
    assert model.generate(**inputs).sequences.abs().mean() > 100 * drawn.abs().mean()


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_learns_from_future_values(kind: type) -> None:
    model, inputs = kind(KINDS[kind]), series()
    model.train()(**inputs, future_values=torch.rand(2, 4) * 100).loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_correlations_in_half_precision() -> None:
    model = AutoformerForPrediction(KINDS[AutoformerForPrediction]).eval().bfloat16()
    inputs = {name: x.bfloat16() for name, x in series().items()}
    outputs = model.model(**inputs, future_values=torch.rand(2, 4).bfloat16())
    assert outputs.trend.dtype == torch.bfloat16 and outputs.last_hidden_state.isfinite().all()


def test_few_queries_attend() -> None:
    model = InformerForPrediction(InformerConfig(**SIZES, sampling_factor=1)).eval()
    inputs = {**series(), "future_values": torch.rand(2, 4)}
    attended = model(**inputs, output_attentions=True).decoder_attentions[0]
    assert attended.shape == (2, 2, 2, 4)


def test_bad_series() -> None:
    with pytest.raises(ConfigError, match="moving_average"):
        AutoformerConfig(**SIZES, moving_average=4)
    model = InformerForPrediction(KINDS[InformerForPrediction]).eval()
    short = {name: x[:, :7] if "past" in name else x for name, x in series().items()}
    with pytest.raises(ValueError, match="series of 7 values"):
        model.generate(**short)
    with pytest.raises(ValueError, match="need future_time_features"):
        model(series()["past_values"], series()["past_time_features"], future_values=torch.rand(2, 4))
