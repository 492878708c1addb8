"""Configuration of the Time Series Transformer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zoo_core.config import PretrainedConfig, field


class TimeSeriesTransformerConfig(PretrainedConfig):
    """Sizes and switches of a Time Series Transformer.

    `lags_sequence` says how far back the values lie that the model sees at each time; `cardinality`
    and `embedding_dimension` are those of the static categories. `feature_size` follows from the rest.
    """

    model_type = "time_series_transformer"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "num_hidden_layers": "encoder_layers",
    }

    prediction_length: int | None = None
    context_length: int | None = None
    distribution_output: str = "student_t"
    loss: str = "nll"
    input_size: int = 1
    lags_sequence: list[int] = field([1, 2, 3, 4, 5, 6, 7])
    scaling: str | bool | None = "mean"
    num_dynamic_real_features: int = 0
    num_static_categorical_features: int = 0
    num_static_real_features: int = 0
    num_time_features: int = 0
    cardinality: list[int] | None = None
    embedding_dimension: list[int] | None = None
    encoder_ffn_dim: int = 32
    decoder_ffn_dim: int = 32
    encoder_attention_heads: int = 2
    decoder_attention_heads: int = 2
    encoder_layers: int = 2
    decoder_layers: int = 2
    is_encoder_decoder: bool = True
    activation_function: str = "gelu"
    d_model: int = 64
    dropout: float = 0.1
    encoder_layerdrop: float = 0.1
    decoder_layerdrop: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.1
    num_parallel_samples: int = 100
    init_std: float = 0.02
    use_cache: bool = True
    feature_size: int | None = None

    def __post_init__(self) -> None:
        self.context_length = self.context_length or self.prediction_length
        categories = self.num_static_categorical_features
        if not (self.cardinality and categories):
            self.cardinality = [0]
        if not (self.embedding_dimension and categories):
            self.embedding_dimension = [min(50, (count + 1) // 2) for count in self.cardinality]
        beside = sum(self.embedding_dimension) + self.num_dynamic_real_features + self.num_time_features
        beside += self.num_static_real_features + 2 * self.input_size  # the logarithms of loc and scale
        self.feature_size = self.input_size * len(self.lags_sequence) + beside

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("cardinality", "embedding_dimension"):
            count = self.num_static_categorical_features
            if count and len(getattr(self, name)) != count:
                yield name, f"must have num_static_categorical_features={count} entries"
        if not self.lags_sequence or min(self.lags_sequence) < 1:
            yield "lags_sequence", "must name one or more lags, 1 or more each"
