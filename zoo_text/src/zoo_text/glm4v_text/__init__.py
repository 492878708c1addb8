"""The language model of GLM-4.1V (https://arxiv.org/abs/2507.01006)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glm4v_text",
    config="zoo_text.glm4v_text.config:Glm4vTextConfig",
    models=classes(
        "zoo_text.glm4v_text.model",
        AutoModel="Glm4vTextModel",
    ),
)
