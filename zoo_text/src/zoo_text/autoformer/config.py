"""Configuration of the Autoformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.time_series_transformer.config import TimeSeriesTransformerConfig


class AutoformerConfig(TimeSeriesTransformerConfig):
    """A Time Series Transformer's sizes, and how series are decomposed and correlated.

    label_length: how much of the context the decoder begins with. moving_average: the window of the trend.
    autocorrelation_factor: about factor * log(length) delays are looked at.
    """

    model_type = "autoformer"

    scaling: str | bool | None = True
    label_length: int = 10
    moving_average: int = 25
    autocorrelation_factor: int = 3

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.moving_average < 1 or self.moving_average % 2 == 0:
            yield "moving_average", "must be odd"
