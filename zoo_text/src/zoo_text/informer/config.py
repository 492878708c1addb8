"""Configuration of the Informer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zoo_text.time_series_transformer.config import TimeSeriesTransformerConfig


class InformerConfig(TimeSeriesTransformerConfig):
    """A Time Series Transformer's sizes, and how sparse the attention is.

    attention_type: "prob" for sparse attention, "full" for the usual one. sampling_factor: how many keys
    are looked at, and how many queries attend. distil: halve the series after each layer of the encoder.
    """

    model_type = "informer"
    attribute_map: ClassVar[dict[str, str]] = {
        **TimeSeriesTransformerConfig.attribute_map,
        "initializer_range": "init_std",
    }

    dropout: float = 0.05
    attention_type: str = "prob"
    sampling_factor: int = 5
    distil: bool = True

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.sampling_factor < 1:
            yield "sampling_factor", "must be 1 or more"
