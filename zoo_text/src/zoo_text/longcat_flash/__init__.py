"""LongCat-Flash (https://arxiv.org/abs/2509.01322)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="longcat_flash",
    config="zoo_text.longcat_flash.config:LongcatFlashConfig",
    models=classes(
        "zoo_text.longcat_flash.model",
        AutoModel="LongcatFlashModel",
        AutoModelForCausalLM="LongcatFlashForCausalLM",
    ),
)
