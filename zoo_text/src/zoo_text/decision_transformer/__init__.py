"""Decision Transformer (Chen et al., 2021, https://arxiv.org/abs/2106.01345)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="decision_transformer",
    config="zoo_text.decision_transformer.config:DecisionTransformerConfig",
    models=classes("zoo_text.decision_transformer.model", AutoModel="DecisionTransformerModel"),
)
