"""Time Series Transformer: an encoder-decoder that forecasts distributions."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="time_series_transformer",
    config="zoo_text.time_series_transformer.config:TimeSeriesTransformerConfig",
    models=classes(
        "zoo_text.time_series_transformer.model",
        AutoModel="TimeSeriesTransformerModel",
        AutoModelForTimeSeriesPrediction="TimeSeriesTransformerForPrediction",
    ),
)
