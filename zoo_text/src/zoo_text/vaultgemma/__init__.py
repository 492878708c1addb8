"""VaultGemma (https://arxiv.org/abs/2510.15001)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vaultgemma",
    config="zoo_text.vaultgemma.config:VaultGemmaConfig",
    models=classes(
        "zoo_text.vaultgemma.model",
        AutoModel="VaultGemmaModel",
        AutoModelForCausalLM="VaultGemmaForCausalLM",
    ),
)
