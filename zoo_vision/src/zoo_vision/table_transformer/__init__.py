"""Table Transformer (https://arxiv.org/abs/2110.00061)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="table-transformer",
    config="zoo_vision.table_transformer.config:TableTransformerConfig",
    models=classes(
        "zoo_vision.table_transformer.model",
        AutoModel="TableTransformerModel",
        AutoModelForObjectDetection="TableTransformerForObjectDetection",
    ),
    image_processor="zoo_vision.processing.detection:DetrImageProcessor",
)
