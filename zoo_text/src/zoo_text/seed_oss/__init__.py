"""Seed-OSS."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="seed_oss",
    config="zoo_text.seed_oss.config:SeedOssConfig",
    models=classes(
        "zoo_text.seed_oss.model",
        AutoModel="SeedOssModel",
        AutoModelForCausalLM="SeedOssForCausalLM",
        AutoModelForSequenceClassification="SeedOssForSequenceClassification",
        AutoModelForTokenClassification="SeedOssForTokenClassification",
        AutoModelForQuestionAnswering="SeedOssForQuestionAnswering",
    ),
)
