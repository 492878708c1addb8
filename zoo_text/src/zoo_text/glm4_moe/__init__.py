"""GLM-4.5 (https://arxiv.org/abs/2508.06471)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glm4_moe",
    config="zoo_text.glm4_moe.config:Glm4MoeConfig",
    models=classes(
        "zoo_text.glm4_moe.model",
        AutoModel="Glm4MoeModel",
        AutoModelForCausalLM="Glm4MoeForCausalLM",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
