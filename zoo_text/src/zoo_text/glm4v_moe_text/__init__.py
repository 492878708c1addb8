"""The language model of GLM-4.5V (https://arxiv.org/abs/2507.01006)."""

from dataclasses import replace

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glm4v_moe_text",
    config="zoo_text.glm4v_moe_text.config:Glm4vMoeTextConfig",
    models=classes("zoo_text.glm4v_moe_text.model", AutoModel="Glm4vMoeTextModel"),
)

#: how transformers spells the type in the files that it saves
SAVED = replace(ARCHITECTURE, model_type="Glm4vMoe_text")
