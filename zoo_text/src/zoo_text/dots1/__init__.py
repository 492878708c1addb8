"""dots.llm1 (https://arxiv.org/abs/2506.05767)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dots1",
    config="zoo_text.dots1.config:Dots1Config",
    models=classes(
        "zoo_text.dots1.model",
        AutoModel="Dots1Model",
        AutoModelForCausalLM="Dots1ForCausalLM",
    ),
)
